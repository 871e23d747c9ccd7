"""The read-only HTTP API for JSON and CSV, with an OpenAPI document made from the same definitions."""
