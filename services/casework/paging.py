"""The place in a list, as an opaque token: the sort key of the last row that was given."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from services.shared.errors import Violation, invalid

Place = tuple[bool, datetime, str]
"""Whether the row stands behind all that are open, its time, its id."""


def token_of(place: Place) -> str:
    """Return the token that stands for a row."""
    last, time, row_id = place
    text = json.dumps([last, time.astimezone(UTC).isoformat(), row_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(token: str) -> Place | None:
    """Return the row that a token stands for, None for the empty one. Raises INVALID_ARGUMENT for any other text."""
    if not token:
        return None
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        last, time, row_id = json.loads(base64.urlsafe_b64decode(padded))
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None or not isinstance(row_id, str) or not isinstance(last, bool):
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise invalid([Violation("pageToken", "a nextPageToken of this list")]) from None
    return last, moment, row_id
