"""Attacks on a running exporter by unauthenticated clients, and its behaviour during them."""
