"""Panels, targets, variables and dashboards in the schema of Grafana 10 to 13, which grafanalib 0.7.1 lacks.

Each class writes only that schema: no Angular options, no ``null`` keys, data sources as uid objects.
"""
