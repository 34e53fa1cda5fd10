"""Traces, metrics and the log. Each lets through only what is on its list: no personal data, no category."""
