"""One way to write a definition down, so that its hash says whether it is still the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def sha256(*parts: DataclassInstance) -> str:
    """Return the hash in hex of some frozen values: JSON, members sorted, no spaces, ASCII, dates as ISO 8601."""
    text = json.dumps([asdict(each) for each in parts], sort_keys=True, separators=(",", ":"), default=_iso)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError("a definition holds numbers, words and dates")
