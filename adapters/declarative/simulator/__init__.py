"""Simulated systems with a REST API, written from their documents and not from our connector files."""
