"""A believable inventory for trials, demonstrations and load tests: made up, seeded, and of any size."""
