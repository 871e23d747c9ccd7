"""What the boards ask, in PromQL, apart from where it stands.

Every query of the inventory aggregates ``instance`` and ``job`` away, so that two exporters on one inventory count
once; the queries about the exporter itself keep them.
"""
