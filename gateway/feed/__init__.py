"""Live delivery: a feed of pointers per agency, and each event decided at the moment it is sent.

One consumer thread reads all topics, opens nothing but routing sections, and writes who might have to learn of what.
What it writes decides nothing: a stream asks for each event anew, and what is withheld comes when a later release opens
it.
"""
