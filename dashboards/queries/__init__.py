"""The PromQL queries of the dashboards, separate from the panels.

Every query about the inventory aggregates ``instance`` and ``job`` away, so that two exporters on one inventory count
once; the queries about the exporter itself keep them.
"""
