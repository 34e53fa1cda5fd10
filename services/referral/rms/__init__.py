"""Reads what a police records management system exports: NIBRS XML, JSON, NDJSON.

Pure parsing: bytes in, values out, no store and no clock. What comes out of NIBRS are candidates: incidents in which
somebody could be referred, seen by the submitting agency alone until an officer names the person. Race, ethnicity,
sex, residence, relationships, weapons, gang and property facts are in those files and are not kept: no referral needs
them (minimum necessary).
"""
