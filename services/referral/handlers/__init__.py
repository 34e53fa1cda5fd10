"""Use cases of referral, one module per idea: `(desk, caller, command) -> result`."""
