"""Cursors of a feed: a place, sealed and bound to the lane it is of. All of one length, so that none tells anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.shared.clock import Clock
from services.shared.errors import Code, LeadError, Violation, invalid

BEGIN = "begin"
"""In place of a cursor: from the oldest that is kept."""

_NONCE = 12
# Place, and when the cursor was given out, in seconds.
_CONTENT = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class Lane:
    """Who follows: an agency, in one role, for one purpose; `sites` where a token limits them further.

    What one lane passes over is passed over for all its streams alike.
    """

    agency_id: str
    role: str
    purpose: str
    sites: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The lane's name inside its agency's feed."""
        limit = hashlib.sha256("\0".join(self.sites).encode()).hexdigest()[:16] if self.sites else ""
        return f"{self.role}/{self.purpose}/{limit}"


class FeedCursors:
    """Seals places for one feed."""

    def __init__(self, key: bytes, feed_id: str, kept: timedelta, clock: Clock) -> None:
        """Seal under a key of its own, made from these 32 bytes; good for `kept`, in this feed only."""
        self._cipher = AESGCM(hmac.digest(key, b"lead.feed.v1", hashlib.sha256))
        self._feed_id, self._kept, self._clock = feed_id, kept, clock

    def seal(self, place: int, lane: Lane) -> str:
        """Return the cursor of a place."""
        nonce = os.urandom(_NONCE)
        content = _CONTENT.pack(place, int(self._clock.now().timestamp()))
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, content, self._bound(lane))).decode()

    def open(self, cursor: str, lane: Lane) -> int:
        """Return the place of a cursor.

        Raises INVALID_ARGUMENT for one of another feed or lane, OUT_OF_RANGE for one that is older than what is kept:
        what lay behind it may be gone.
        """
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii"))
            place, given = _CONTENT.unpack(self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], self._bound(lane)))
        except (InvalidTag, ValueError, struct.error):
            raise _foreign() from None
        if datetime.fromtimestamp(given, self._clock.now().tzinfo) < self._clock.now() - self._kept:
            text = "The cursor is older than what is kept: begin again, with `begin`."
            raise LeadError(Code.OUT_OF_RANGE, "CURSOR_EXPIRED", text)
        return int(place)

    def _bound(self, lane: Lane) -> bytes:
        return hashlib.sha256("\0".join((self._feed_id, lane.agency_id, lane.word)).encode()).digest()


def _foreign() -> LeadError:
    return invalid([Violation("cursor", "a cursor of this agency, role and purpose, or `begin`")])
