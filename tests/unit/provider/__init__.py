"""Rules of provider, without a database."""
