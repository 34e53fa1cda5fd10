"""The justice feed: what police, jails and courts report of arrests and what follows them, passed on sealed.

Nothing here knows who is a participant, and nothing of a person is kept: a row says only that a record of some system
was sent, by keyed digests, so that a repeat, a correction and a deletion are known.
"""
