"""Generates realistic, seeded sample inventories of any size for trials, demonstrations and load tests."""
