"""The leadx commands, one module each; the only place that may import every area."""
