"""Reads the YAML configuration into frozen settings, or raises one clear error."""
