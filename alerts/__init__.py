"""Alerting and recording rules for Prometheus, made from the catalogue of metrics.

``make generate`` writes the files beside this one; ``python -m alerts`` writes them with other values.
"""
