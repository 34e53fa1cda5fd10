"""Fakes, builders and guards that the tests share."""
