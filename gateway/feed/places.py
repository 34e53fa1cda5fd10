"""How many streams there may be: an open one costs memory, and a decision for every event."""

from __future__ import annotations

from collections import Counter

from services.shared.errors import exhausted


class Places:
    """Counts open streams. Belongs to one event loop."""

    def __init__(self, in_all: int, per_agency: int) -> None:
        """Allow so many."""
        self._in_all, self._per_agency = in_all, per_agency
        self._taken: Counter[str] = Counter()

    def take(self, agency_id: str) -> None:
        """Take a place, to be left by `leave`. Raises RESOURCE_EXHAUSTED when there is none."""
        if self._taken[agency_id] >= self._per_agency:
            raise exhausted(f"An agency has at most {self._per_agency} streams at a time.")
        if self._taken.total() >= self._in_all:
            raise exhausted("There are no more streams at the moment.")
        self._taken[agency_id] += 1

    def leave(self, agency_id: str) -> None:
        """Give a place back."""
        self._taken[agency_id] -= 1
        if not self._taken[agency_id]:
            del self._taken[agency_id]
