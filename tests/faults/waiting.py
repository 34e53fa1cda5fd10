"""Waits with a deadline: faults take as long as they take, and no test may hang on one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PATIENCE_SECONDS = 30.0


def until(look: Callable[[], T], what: str, seconds: float = _PATIENCE_SECONDS) -> T:
    """Return what `look` finds as soon as it is true. Fails, saying what did not happen, after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return found
