"""Review on a real database: what comes by events, the queue, decisions."""
