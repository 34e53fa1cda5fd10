"""One pass of the relay over everything unsent: what goes, in which order, and what has to wait."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Table

from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import outbox
from services.shared.events.away import is_away, pause
from services.shared.events.cloudevents import TRACEPARENT
from services.shared.events.log import Entry, LogWriter
from services.shared.telemetry import trace

MOST_PAUSE_SECONDS = 2.0
_log = logging.getLogger(__name__)
_PAGE = 200


@dataclass
class _Held:
    """A subject whose statement was not taken: how often, and when to try again (monotonic)."""

    attempts: int = 0
    try_at: float = 0.0


@dataclass
class _Pass:
    """The state of one pass."""

    arrived: list[int] = field(default_factory=list)
    batch: list[Row[Any]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    consent_is_away: bool = False


class Rounds:
    """Sends what can be sent. Used by one thread; what it remembers between passes is who is held back."""

    def __init__(
        self, db: Database, table: Table, writer: LogWriter, deliver: Callable[[str, bytes], None], clock: Clock
    ) -> None:
        """`deliver(kind, body)` brings a statement to consent, and raises when it was not taken."""
        self._db, self._table, self._writer, self._deliver, self._clock = db, table, writer, deliver, clock
        self._held: dict[str, _Held] = {}

    def pass_over(self) -> int:
        """Send everything that can be sent now, mark it, and return how many rows that were.

        Raises LogUnavailableError when the log is away; what had arrived before is marked.
        """
        state, after_id, sent = _Pass(), 0, 0
        while rows := self._page(after_id):
            after_id = rows[-1].id
            try:
                for row in rows:
                    self._handle(state, row)
                self._publish(state)
            finally:
                sent += self._mark(state)
        return sent

    def held(self) -> int:
        """How many subjects wait for a statement to be taken."""
        return len(self._held)

    def until_next_try(self, most: float) -> float:
        """Return in how many seconds the next held statement may be tried, at most `most`."""
        now = self._clock.monotonic()
        return max(0.0, min([most, *(held.try_at - now for held in self._held.values())]))

    def _page(self, after_id: int) -> list[Row[Any]]:
        with self._db.read() as connection:
            return outbox.unsent(connection, self._table, after_id, _PAGE)

    def _handle(self, state: _Pass, row: Row[Any]) -> None:
        if row.subject_id in state.blocked:
            return
        if row.kind == outbox.EVENT:
            state.batch.append(row)
            return
        if any(before.subject_id == row.subject_id for before in state.batch):
            self._publish(state)
        if self._may_try(state, row.subject_id) and self._try_statement(state, row):
            state.arrived.append(row.id)
        else:
            state.blocked.add(row.subject_id)

    def _may_try(self, state: _Pass, subject_id: str) -> bool:
        held = self._held.get(subject_id)
        return not state.consent_is_away and (held is None or self._clock.monotonic() >= held.try_at)

    def _try_statement(self, state: _Pass, row: Row[Any]) -> bool:
        try:
            self._deliver(row.kind, row.value)
        except Exception as error:  # noqa: BLE001 - whatever it is, what follows for this subject must wait
            held = self._held.setdefault(row.subject_id, _Held())
            held.try_at = self._clock.monotonic() + next_pause(held.attempts)
            held.attempts += 1
            state.consent_is_away = is_away(error)
            _log.warning("statement held", extra={"kind": row.kind, "reason": type(error).__name__})
            return False
        self._held.pop(row.subject_id, None)
        return True

    def _publish(self, state: _Pass) -> None:
        batch, state.batch = state.batch, []
        if not batch:
            return
        with ExitStack() as spans:
            self._writer.append([_entry(row, spans) for row in batch])
        state.arrived += [row.id for row in batch]

    def _mark(self, state: _Pass) -> int:
        arrived, state.arrived = state.arrived, []
        if arrived:
            with self._db.write() as connection:
                outbox.mark_sent(connection, self._table, arrived, self._clock.now())
        return len(arrived)


def next_pause(attempts: int) -> float:
    """Return how many seconds to wait after that many failures in a row, at random."""
    share = random.random()  # noqa: S311 - spreads retries, guards nothing
    return pause(attempts, share, MOST_PAUSE_SECONDS)


def _entry(row: Row[Any], spans: ExitStack) -> Entry:
    # A trace of its own, linked to the request's inside this process: what travels joins nothing (architecture 6).
    root = trace.extract(())
    spans.enter_context(trace.span("outbox publish", kind="producer", parent=root, links=[row.trace_parent]))
    spans.enter_context(trace.span("log append", kind="producer"))
    hop = trace.current_traceparent() or trace.fresh_traceparent()
    return Entry(row.topic, row.key, row.value, {**outbox.headers_of(row), TRACEPARENT: hop.encode()})
