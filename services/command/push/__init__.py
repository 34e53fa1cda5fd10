"""`leadx push`, the records system's end: reads files, sends what is in them, and goes on where it was cut off."""
