"""Consent on a real SQLite file and behind a real server."""
