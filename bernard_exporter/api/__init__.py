"""The inventory over JSON and CSV: read-only, described by an OpenAPI document that follows from the same tables."""
