"""Lists: pages are filled with rows that the caller may see, and their cursors tell nothing.

An area is asked for as many rows as are still missing; rows that are withheld are simply not there, and the next rows
are asked for, in growing parts and a bounded number of times. The cursor is sealed and bound to caller, purpose, method
and filter, so it is worth nothing to anybody else and cannot widen a filter (EV-T2, EV-T3).
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway.redact import When
from services.shared.errors import Violation, invalid
from services.shared.sharing.assertion import Caller

DEFAULT_SIZE = 50
LARGEST_SIZE = 500
MOST_ROUNDS = 40
_SIZE, _TOKEN, _NEXT = "page_size", "page_token", "next_page_token"
_AFTER = "updated_after"
_NONCE = 12
# Cursors of one length, so that a length tells nothing.
_PADDED = 192


@cache
def rows_field(descriptor: Descriptor) -> FieldDescriptor | None:
    """Return the one repeated record field of a list's answer, or None when the answer is no list."""
    if _NEXT not in descriptor.fields_by_name:
        return None
    rows = [one for one in descriptor.fields if one.is_repeated and one.message_type is not None]
    return rows[0] if len(rows) == 1 else None


def wanted(request: Message) -> int:
    """Return the asked page size. Raises INVALID_ARGUMENT outside 1 to 500; none is 50."""
    if not request.HasField(_SIZE):
        return DEFAULT_SIZE
    size: int = getattr(request, _SIZE)
    if not 1 <= size <= LARGEST_SIZE:
        raise invalid([Violation("pageSize", f"1 to {LARGEST_SIZE}")])
    return size


def since(request: Message) -> When | None:
    """Return the moment after which something that the caller sees must have changed, None for a list of everything."""
    if _AFTER not in request.DESCRIPTOR.fields_by_name or not request.HasField(_AFTER):
        return None
    moment = getattr(request, _AFTER)
    return (moment.seconds, moment.nanos)


class Stride:
    """How many rows an area is asked for at a time, so that a long run of hidden ones is soon passed."""

    def __init__(self, missing: int) -> None:
        """`missing` rows are wanted in all."""
        self.rows = self._missing = missing
        self._most = LARGEST_SIZE

    def takes(self, visible: int) -> bool:
        """Tell whether a part with so many visible rows may be taken; says how many to ask for next.

        More than are missing are no use, since the area's token stands behind all of them: the same is asked for again
        in a smaller part. As many as are missing can never be too many.
        """
        if visible > self._missing:
            self._most = self.rows // 2
            self.rows = max(self._missing, self._most)
            return False
        self._missing -= visible
        self.rows = max(self._missing, min(2 * self.rows, self._most)) if not visible else self._missing
        return True


class Cursors:
    """Seals an area's page tokens for one gateway's callers."""

    def __init__(self, key: bytes) -> None:
        """Seal under these 32 bytes."""
        self._cipher = AESGCM(key)

    def open(self, request: Message, caller: Caller, method: str) -> str:
        """Return the area's token in a request, empty for a first page. Raises INVALID_ARGUMENT for a foreign one."""
        token: str = getattr(request, _TOKEN)
        if not token:
            return ""
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii"))
            opened = self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _bound(request, caller, method))
        except (InvalidTag, ValueError):
            raise invalid([Violation("pageToken", "a token of this list, caller, purpose and filter")]) from None
        return opened.rstrip(b"\0").decode()

    def seal(self, inner: str, request: Message, caller: Caller, method: str) -> str:
        """Return a cursor for the caller."""
        if not inner:
            return ""
        nonce = os.urandom(_NONCE)
        padded = inner.encode().ljust(_PADDED, b"\0")
        return base64.urlsafe_b64encode(
            nonce + self._cipher.encrypt(nonce, padded, _bound(request, caller, method))
        ).decode()


def _bound(request: Message, caller: Caller, method: str) -> bytes:
    """Return what a cursor is good for only: who asks, as what, for what, where, and under which filter."""
    filters = type(request)()
    filters.CopyFrom(request)
    filters.ClearField(_SIZE)
    filters.ClearField(_TOKEN)
    who = (caller.account_id, caller.agency_id, caller.role, caller.purpose, caller.participant_id, method)
    digest = hashlib.sha256("\0".join(who).encode())
    digest.update(filters.SerializeToString(deterministic=True))
    return digest.digest()
