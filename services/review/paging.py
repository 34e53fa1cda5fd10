"""The place in the queue, as an opaque token: due time and id of the last review that was given."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from services.review.store import Place
from services.shared.errors import Violation, invalid
from services.shared.ids import is_id


def token_of(place: Place) -> str:
    """Return the token that stands for a place."""
    text = json.dumps([place[0].astimezone(UTC).isoformat(), place[1]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(token: str) -> Place | None:
    """Return the place that a token stands for, None for the empty one. Raises INVALID_ARGUMENT for any other text."""
    if not token:
        return None
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        due, review_id = json.loads(base64.urlsafe_b64decode(padded))
        moment = datetime.fromisoformat(due)
        if moment.tzinfo is None or not is_id(review_id, "rev"):
            raise ValueError
        return moment.astimezone(UTC), review_id
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise invalid([Violation("pageToken", "a nextPageToken of this list")]) from None
