"""Tests of what reads the database."""
