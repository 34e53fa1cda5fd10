"""Provider on a real database."""
