"""Development tools: generators, checks and measurements."""
