"""The web configuration file in the format of the Prometheus exporter-toolkit: TLS, headers and users."""
