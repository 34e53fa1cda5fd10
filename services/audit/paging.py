"""Page tokens of audit: opaque to whoever holds one, a place on the ledger and a number of a line to us."""

from __future__ import annotations

import base64
import re

_FORM = re.compile(r"(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,5})", re.ASCII)


def token(place: int, line: int = 0) -> str:
    """Return the token of the line that the next page starts with."""
    return base64.urlsafe_b64encode(f"{place}.{line}".encode()).decode().rstrip("=")


def position(given: str) -> tuple[int, int] | None:
    """Return (place, line) of a token; None for anything that `token` doesn't make."""
    try:
        text = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode("ascii")
    except ValueError:
        return None
    found = _FORM.fullmatch(text)
    return (int(found[1]), int(found[2])) if found and token(int(found[1]), int(found[2])) == given else None
