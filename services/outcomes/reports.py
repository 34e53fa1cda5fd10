"""Makes reports one at a time and gives a finished one again for a while: they cost seconds and much memory.

What was made is dropped with the first change of what it was counted from.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lead.outcomes.v1 import outcomes_pb2 as pb

from services.shared.clock import Clock
from services.shared.errors import exhausted

_MOST_KEPT = 64
_COURTESY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _Made:
    report: pb.Report
    until: float


class Reports:
    """A place to make reports in. Safe between threads."""

    def __init__(self, clock: Clock, wait_seconds: float, kept_seconds: float) -> None:
        """A call waits `wait_seconds` for its turn; a report is given again for `kept_seconds`."""
        self._clock, self._wait, self._kept = clock, wait_seconds, kept_seconds
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._waits = 0

    def get(self, asked: Hashable, make: Callable[[], pb.Report]) -> pb.Report:
        """Return the report that was asked for, made now or lately; what is asked for names the data's revision.

        Whoever asks for what another call is making gets that one. Raises RESOURCE_EXHAUSTED when no turn comes.
        """
        known = self._known(asked)
        if known is not None:
            return known
        with self._waiting():
            has_turn = self._turn.acquire(timeout=self._wait)
        if not has_turn:
            raise exhausted("Another report is being made. Try again in a moment.")
        try:
            known = self._known(asked)
            return self._keep(asked, make()) if known is None else known
        finally:
            self._turn.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Make something beside the calls, when none of them waits, however long it takes to get a turn."""
        while self._waits:
            time.sleep(_COURTESY_SECONDS)
        with self._turn:
            yield

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        with self._guard:
            self._waits += 1
        try:
            yield
        finally:
            with self._guard:
                self._waits -= 1

    def _known(self, asked: Hashable) -> pb.Report | None:
        with self._guard:
            made = self._made.get(asked)
        return made.report if made is not None and self._clock.monotonic() < made.until else None

    def _keep(self, asked: Hashable, report: pb.Report) -> pb.Report:
        with self._guard:
            self._made[asked] = _Made(report, self._clock.monotonic() + self._kept)
            self._made.move_to_end(asked)
            if len(self._made) > _MOST_KEPT:
                self._made.popitem(last=False)
        return report
