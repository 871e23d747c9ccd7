"""The past of the inventory as samples: what the exporter would have exposed, had it run."""
