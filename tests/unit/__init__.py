"""Rules without sockets or a database."""
