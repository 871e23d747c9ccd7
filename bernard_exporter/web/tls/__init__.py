"""TLS of the web server."""
