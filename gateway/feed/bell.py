"""Tells streams that a feed has grown: rung from any thread, heard in one event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress


class Bell:
    """Belongs to the loop that it is made in. A stream that looks before it listens misses nothing: see `rung`."""

    def __init__(self) -> None:
        """Nothing has been rung."""
        self._loop = asyncio.get_running_loop()
        self._rung: Counter[str] = Counter()
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._all = 0

    def ring(self, agency_ids: Iterable[str]) -> None:
        """Wake the streams of these agencies; from any thread."""
        found = tuple(agency_ids)
        if found:
            self._soon(found)

    def ring_all(self) -> None:
        """Wake every stream; from any thread."""
        self._soon(None)

    def rung(self, agency_id: str) -> int:
        """Return how often it has rung for an agency: pass it to `wait` after having looked."""
        return self._rung[agency_id] + self._all

    async def wait(self, agency_id: str, rung: int, seconds: float) -> None:
        """Return when it has rung more often than `rung`, or after some seconds."""
        if self.rung(agency_id) > rung:
            return
        heard = asyncio.Event()
        self._waiting.setdefault(agency_id, set()).add(heard)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), seconds)
        finally:
            self._waiting[agency_id].discard(heard)
            if not self._waiting[agency_id]:
                del self._waiting[agency_id]

    def _soon(self, agency_ids: tuple[str, ...] | None) -> None:
        # A loop that has ended has nobody who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ring, agency_ids)

    def _ring(self, agency_ids: tuple[str, ...] | None) -> None:
        if agency_ids is None:
            self._all += 1
        else:
            self._rung.update(agency_ids)
        for agency in tuple(self._waiting) if agency_ids is None else agency_ids:
            for heard in self._waiting.get(agency, ()):
                heard.set()
