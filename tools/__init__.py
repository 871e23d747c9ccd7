"""What is run beside the exporter: generators, checks and measurements."""
