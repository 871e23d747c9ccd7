"""Alerting and recording rules for Prometheus, made from the catalogue of metrics.

``make generate`` writes the files in this directory; ``python -m alerts`` writes them with other settings.
"""
