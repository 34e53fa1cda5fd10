"""How often an agency may do what keeps no record of itself: the dry run of a screening."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from services.shared.clock import Clock
from services.shared.errors import exhausted

_MOST_BUCKETS = 10_000


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Buckets:
    """A token bucket per agency, in memory: it holds a minute's worth and fills evenly. Safe between threads."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        """Allow so many a minute to each."""
        self._most, self._clock = float(per_minute), clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, agency_id: str) -> None:
        """Take one token. Raises RESOURCE_EXHAUSTED when the agency's bucket is empty."""
        now = self._clock.monotonic()
        with self._lock:
            bucket = self._buckets.setdefault(agency_id, _Bucket(self._most, now))
            passed = now - bucket.filled_at
            bucket.tokens = min(self._most, bucket.tokens + passed * self._most / 60)
            bucket.filled_at = now
            if bucket.tokens < 1:
                raise exhausted("Too many dry runs. Try again in a minute.")
            bucket.tokens -= 1
            self._forget_full(now)

    def _forget_full(self, now: float) -> None:
        # Agencies are few; this only keeps a flood of made-up ones from growing the table.
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets = {name: each for name, each in self._buckets.items() if now - each.filled_at < 60}
