"""Queries of API and pages: jobs, runs, files, objects, differences and the schedule."""
