"""Waits with a deadline: faults take as long as they take, and no test may hang on one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from services.command.demo.client import Answer, Client

T = TypeVar("T")
PATIENCE_SECONDS = 30.0


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Return what `look` finds as soon as it is true. Fails, saying what did not happen, after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return found


def listed(client: Client, path: str, rows: str) -> list[dict[str, Any]]:
    """Return all rows of a list. A page that is refused for want of somebody who was away is asked for again."""
    found: list[dict[str, Any]] = []
    token = {"pageToken": ""}
    while token:
        answer = until(lambda: _unless_away(client.get(path, pageSize="500", **token)), f"{path} answers")  # noqa: B023
        assert answer.status == 200
        found += answer.body.get(rows, [])
        token = {"pageToken": answer["nextPageToken"]} if answer.body.get("nextPageToken") else {}
    return found


def _unless_away(answer: Answer) -> Answer | None:
    return None if answer.status == 503 else answer
