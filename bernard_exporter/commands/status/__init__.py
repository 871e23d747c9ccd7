"""The state of every job as a table."""
