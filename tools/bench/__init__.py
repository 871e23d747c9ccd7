"""Measure the exporter against its peers in one run; every claim is a ratio."""
