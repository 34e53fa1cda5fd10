"""Sealed events from an area to the areas that may know: split, seal, outbox, log, consumer loop, inbox and shelf.

The producing side is `publisher` (stage in the area's own transaction) and `relay` (publish in order per subject); the
consuming side is `loop`. In between lies the log, which sees ciphertext only.
"""
