"""Kill, cut, stop: what must hold when a process dies, hangs or is out of reach."""
