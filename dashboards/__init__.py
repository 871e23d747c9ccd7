"""Five Grafana dashboards, built with grafanalib; ``make generate`` writes their JSON files to ``json``."""
