"""How what is sealed is written: JSON, padded, so that the length of a row doesn't tell its state.

Secrets of the area, each for one use, come from its key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_BUCKET = 256


def to_text(values: dict[str, Any]) -> str:
    """Return values as JSON text of a multiple of 256 characters; times are ISO 8601 in UTC."""
    text = json.dumps(values, separators=(",", ":"), default=_plain)
    return text.ljust(-(-len(text) // _BUCKET) * _BUCKET)


def from_text(text: str) -> dict[str, Any]:
    """Return what `to_text` was given, times as text."""
    found: dict[str, Any] = json.loads(text)
    return found


def time_of(text: str | None) -> datetime | None:
    """Return the time of a text, None for None."""
    return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Two secrets of the area: behind idempotency keys, and behind digests of what could be guessed."""

    idempotency: bytes
    digests: bytes

    def digest(self, *parts: str) -> str:
        """Return 64 hex digits that stand for these texts, here only."""
        framed = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
        return hmac.new(self.digests, framed, hashlib.sha256).hexdigest()


def secrets_of(area_key: bytes) -> Secrets:
    """Return the secrets that an area's key stands for."""

    def derived(use: str) -> bytes:
        return hmac.digest(area_key, f"lead.provider.v1/{use}".encode(), hashlib.sha256)

    return Secrets(derived("idempotency"), derived("digests"))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError("neither JSON nor a time")
