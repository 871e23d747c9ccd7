"""Checks everything that ``serve`` needs and reports how to fix each problem."""
