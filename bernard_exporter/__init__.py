"""Bernard exporter: Prometheus metrics for the inventory of MariaDB backups."""

__version__ = "0.1.0"
