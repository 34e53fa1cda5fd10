"""Casework on a real database."""
