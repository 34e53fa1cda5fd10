"""Numbers of agencies as keys: equal for the same incident, booking or record, and telling nothing of the number.

The keys come from the area's key, each for one use, so that a number of one kind is never taken for one of another.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_INFO = "lead.referral.v1/"
_BYTES = 32


class Keyed:
    """HMAC-SHA-256 of what an agency calls something, under keys derived from the area's key."""

    def __init__(self, area_key: bytes) -> None:
        """Derive the keys (RFC 5869)."""
        self._incident = _derived(area_key, "incident-key")
        self._booking = _derived(area_key, "booking-key")
        self._record = _derived(area_key, "justice-record")
        self._content = _derived(area_key, "justice-content")

    def incident(self, agency_id: str, number: str) -> str:
        """Return the key of an incident, 64 hex digits; "" for no number."""
        return _number_key(self._incident, agency_id, number)

    def booking(self, agency_id: str, number: str) -> str:
        """Return the key of a booking, 64 hex digits; "" for no number."""
        return _number_key(self._booking, agency_id, number)

    def record(self, agency_id: str, system: str, record_id: str) -> bytes:
        """Return the 32 bytes that stand for a record of an agency's own system."""
        return _hmac(self._record, agency_id, system, record_id)

    def content(self, agency_id: str, content: bytes) -> bytes:
        """Return the 32 bytes by which an agency's repeat is known. A bare digest of a person could be guessed."""
        return hmac.digest(self._content, agency_id.encode() + b"\0" + content, hashlib.sha256)


def _number_key(key: bytes, agency_id: str, number: str) -> str:
    # The same number is written with and without blanks, and in either case.
    plain = "".join(number.split()).upper()
    return _hmac(key, agency_id, plain).hex() if plain else ""


def _hmac(key: bytes, *parts: str) -> bytes:
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.digest(key, framed, hashlib.sha256)


def _derived(area_key: bytes, use: str) -> bytes:
    return HKDF(SHA256(), _BYTES, salt=None, info=(_INFO + use).encode()).derive(area_key)
