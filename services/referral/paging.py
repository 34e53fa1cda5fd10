"""The place in a list, as an opaque token: the sort key of the last row that was given."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime

from services.shared.errors import Violation, invalid

Place = tuple[datetime, str]
"""Time of change and id of a row."""


def token_of(place: Place) -> str:
    """Return the token that stands for a row."""
    text = json.dumps([place[0].astimezone(UTC).isoformat(), place[1]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(token: str) -> Place | None:
    """Return the row that a token stands for, None for the empty one. Raises INVALID_ARGUMENT for any other text."""
    if not token:
        return None
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        time, row_id = json.loads(base64.urlsafe_b64decode(padded))
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None or not isinstance(row_id, str):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError):
        raise invalid([Violation("pageToken", "a nextPageToken of this list")]) from None
    return moment, row_id
