"""The only door (PEP): authenticates, asks, forwards, redacts, records, answers. Decides nothing itself."""
