"""The place in a list, as an opaque token: the sort key of the last row that was given."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from services.shared.errors import LeadError, Violation, invalid

Place = tuple[datetime, str]
"""Time of change and id of a row."""

_WRONG = (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError)


def token_of(place: Place) -> str:
    """Return the token that stands for a row of a list by time of change."""
    return _token([place[0].astimezone(UTC).isoformat(), place[1]])


def place_of(token: str) -> Place | None:
    """Return the row that a token stands for, None for the empty one. Raises INVALID_ARGUMENT for any other text."""
    if not token:
        return None
    try:
        time, row_id = _read(token)
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None or not isinstance(row_id, str):
            raise ValueError
    except _WRONG:
        raise _no_token() from None
    return moment, row_id


def id_token_of(row_id: str) -> str:
    """Return the token that stands for a row of a list by id."""
    return _token([row_id])


def id_of(token: str) -> str:
    """Return the id that a token stands for, "" for the empty one. Raises INVALID_ARGUMENT for any other text."""
    if not token:
        return ""
    try:
        match _read(token):
            case [str() as row_id]:
                return row_id
    except _WRONG:
        pass
    raise _no_token()


def _token(key: list[str]) -> str:
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(token: str) -> Any:
    padded = token.encode("ascii") + b"=" * (-len(token) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))


def _no_token() -> LeadError:
    return invalid([Violation("pageToken", "a nextPageToken of this list")])
