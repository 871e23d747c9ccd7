"""Five Grafana boards, written by grafanalib; ``make generate`` writes the JSON beside this code."""
