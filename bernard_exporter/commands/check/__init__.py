"""Checks for Icinga and Nagios, with the rules of wmfbackups' ``check_mariadb_backups.py``."""
