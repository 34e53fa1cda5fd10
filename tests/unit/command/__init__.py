"""Rules of the commands."""
