"""The demo: a throw-away exchange, the whole story through its public faces, every claim checked."""
