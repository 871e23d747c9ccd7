"""The web configuration file that Prometheus' own exporters share: TLS, headers and users."""
