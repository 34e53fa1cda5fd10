"""One pass of the relay over everything unsent: what goes, in which order, and what has to wait."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
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
from services.shared.events.stages import stages
from services.shared.telemetry import trace

MOST_PAUSE_SECONDS = 2.0
_log = logging.getLogger(__name__)
_PAGE = 400
# Statements of so many rows go in one request, and are one transaction at consent.
_MOST_TOGETHER = 128


@dataclass
class _Held:
    """A subject whose statement was not taken: how often, and when to try again (monotonic).

    `alone` when it was refused for what it says: it must not spoil a request that others share.
    """

    attempts: int = 0
    try_at: float = 0.0
    alone: bool = False


@dataclass
class _Pass:
    """The state of one pass."""

    arrived: list[int] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    consent_is_away: bool = False


class Rounds:
    """Sends what can be sent. Used by one thread; what it remembers between passes is who is held back.

    Statements of several subjects travel in one request. When it is refused each is said by itself, so that a bad one
    holds its own subject alone; when it did not arrive, the next ones are smaller, down to one.
    """

    def __init__(
        self,
        db: Database,
        table: Table,
        writer: LogWriter,
        deliver: Callable[[str, bytes], None],
        clock: Clock,
        marked: Callable[[], None] = lambda: None,
    ) -> None:
        """`deliver(kind, body)` brings statements to consent, and raises when they were not taken.

        `marked` is called whenever rows were marked as sent.
        """
        self._db, self._table, self._writer, self._deliver, self._clock = db, table, writer, deliver, clock
        self._marked = marked
        self._held: dict[str, _Held] = {}
        self._together = _MOST_TOGETHER

    def pass_over(self) -> int:
        """Send everything that can be sent now, mark it, and return how many rows that were.

        Raises LogUnavailableError when the log is away; what had arrived before is marked.
        """
        state, after_id, sent = _Pass(), 0, 0
        while rows := self._page(after_id):
            after_id = rows[-1].id
            try:
                for stage in stages(rows):
                    self._state(state, stage.statements)
                    self._publish(state, stage.events)
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

    def _state(self, state: _Pass, rows: Iterable[Row[Any]]) -> None:
        group: list[Row[Any]] = []
        for row in rows:
            if group and not (len(group) < self._together and self._shares(group[-1]) and self._shares(row)):
                self._say(state, group)
                group = []
            group.append(row)
        self._say(state, group)

    def _shares(self, row: Row[Any]) -> bool:
        """Tell whether a statement may travel with others."""
        held = self._held.get(row.subject_id)
        return outbox.can_be_joined(row.kind, row.value) and (held is None or not held.alone)

    def _say(self, state: _Pass, group: Iterable[Row[Any]]) -> None:
        rows = [row for row in group if self._may_try(state, row.subject_id)]
        if not rows:
            return
        error = self._tried(rows)
        if error is None:
            self._taken(state, rows)
        elif len(rows) == 1 or is_away(error):
            self._hold(state, rows, error)
        else:
            for row in rows:
                self._say(state, [row])

    def _may_try(self, state: _Pass, subject_id: str) -> bool:
        held = self._held.get(subject_id)
        if state.consent_is_away or (held is not None and self._clock.monotonic() < held.try_at):
            state.blocked.add(subject_id)
        return subject_id not in state.blocked

    def _tried(self, rows: Sequence[Row[Any]]) -> Exception | None:
        try:
            self._deliver(rows[0].kind, outbox.joined([row.value for row in rows]))
        except Exception as error:  # noqa: BLE001 - whatever it is, what follows for these subjects must wait
            return error
        return None

    def _taken(self, state: _Pass, rows: Sequence[Row[Any]]) -> None:
        self._together = min(_MOST_TOGETHER, self._together + 1)
        for row in rows:
            self._held.pop(row.subject_id, None)
            state.arrived.append(row.id)

    def _hold(self, state: _Pass, rows: Sequence[Row[Any]], error: Exception) -> None:
        state.consent_is_away = is_away(error)
        if state.consent_is_away:
            # It may have been too much at once.
            self._together = max(1, self._together // 2)
        subjects = {row.subject_id: self._held.setdefault(row.subject_id, _Held()) for row in rows}
        # One moment for all, so that they go together again.
        try_at = self._clock.monotonic() + next_pause(max(held.attempts for held in subjects.values()))
        for held in subjects.values():
            held.try_at, held.attempts = try_at, held.attempts + 1
            held.alone |= not state.consent_is_away
        state.blocked.update(subjects)
        _log.warning("statement held", extra={"kind": rows[0].kind, "reason": type(error).__name__})

    def _publish(self, state: _Pass, events: Iterable[Row[Any]]) -> None:
        rows = [row for row in events if row.subject_id not in state.blocked]
        if not rows:
            return
        with ExitStack() as spans:
            self._writer.append([_entry(row, spans) for row in rows])
        state.arrived += [row.id for row in rows]

    def _mark(self, state: _Pass) -> int:
        arrived, state.arrived = state.arrived, []
        if arrived:
            with self._db.write() as connection:
                outbox.mark_sent(connection, self._table, arrived, self._clock.now())
            self._marked()
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
