"""Servers, rows and browsers that tests and tools share."""
