"""Use cases of provider, one module per idea: `(desk, caller, command) -> result`.

Visibility first, then the etag, then the move. What may be read of a record is the gateway's to decide.
"""
