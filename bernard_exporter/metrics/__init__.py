"""The metrics: their catalogue, and their exposition as text."""
