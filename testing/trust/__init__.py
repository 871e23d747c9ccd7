"""A simulator of backups and monitoring, and an oracle of the alerts that were promised.

Random stories of a fleet become rows; the exporter's own code turns rows into samples, promtool evaluates the rules on
them, and a small model of Alertmanager decides what is sent. The oracle is written from the promises about alerts, in
docs/explanation/trust.md, and not from the rules.
"""
