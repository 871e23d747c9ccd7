"""All SQL of the project: the schema, the connections, the queries and, for samples, the inserts."""
