"""How services call each other: the server chain, the client channel, and what travels beside a message."""
