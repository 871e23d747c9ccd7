"""Users and passwords of the web configuration, and the rate limit."""
