"""Scenarios of the alerts, for promtool."""
