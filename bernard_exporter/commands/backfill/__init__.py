"""Writes the history of the inventory as the samples that the exporter would have exposed."""
