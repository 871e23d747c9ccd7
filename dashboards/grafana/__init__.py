"""What grafanalib 0.7.1 lacks of current Grafana: panels, targets, variables and boards of the schema of 10 to 13.

Each class writes that schema and nothing else: no Angular options, no ``null`` keys, data sources as uid objects.
"""
