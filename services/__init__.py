"""The areas of the exchange, what they stand on, and the leadx commands."""
