"""The place in a list, as an opaque token: the id of the last row given. Every list here is in order of ids."""

from __future__ import annotations

import base64
import re

from services.shared.errors import Violation, invalid

_ID = re.compile(r"[a-z]{3}_[0-9a-f-]{36}", re.ASCII)


def token_of(row_id: str) -> str:
    """Return the token that stands for a row."""
    return base64.urlsafe_b64encode(row_id.encode()).decode().rstrip("=")


def place_of(token: str) -> str:
    """Return the id that a token stands for, "" for the empty one. Raises INVALID_ARGUMENT for any other text."""
    if not token:
        return ""
    try:
        row_id = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)).decode()
    except ValueError:
        row_id = ""
    if not _ID.fullmatch(row_id):
        raise invalid([Violation("pageToken", "a nextPageToken of this list")])
    return row_id
