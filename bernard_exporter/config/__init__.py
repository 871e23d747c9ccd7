"""Configuration: one YAML file to frozen settings, or one clear error."""
