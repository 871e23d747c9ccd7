"""The only SQL of the project: the schema, connections, and what is read from and written to them."""
