"""Tries everything that ``serve`` needs, and says for each thing that is wrong what mends it."""
