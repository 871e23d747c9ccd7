"""Verdicts for Icinga and Nagios, those of wmfbackups' ``check_mariadb_backups.py``."""
