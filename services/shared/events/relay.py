"""Publishes an area's outbox, in order per subject, and marks what has arrived.

Published first, marked after: a process that dies in between publishes again, and each consumer's inbox absorbs it.
A statement that consent does not take holds back what follows for its subject, and nobody else's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table

from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import outbox
from services.shared.events.away import is_away
from services.shared.events.log import LogWriter
from services.shared.events.rounds import Rounds, next_pause
from services.shared.telemetry.metrics import OUTBOX_OLDEST_SECONDS

_log = logging.getLogger(__name__)
# Looked at even without a nudge: what another process of the area wrote, and what a lost nudge was for.
_IDLE_SECONDS = 1.0
_PURGE_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class RelayState:
    """What a round left behind, for metrics and readiness."""

    oldest_unsent_at: datetime | None
    held_subjects: int
    is_failing: bool


def to_metrics(area: str, clock: Clock) -> Callable[[RelayState], None]:
    """Return an observer that keeps the area's outbox gauge."""
    gauge = OUTBOX_OLDEST_SECONDS.labels(area)

    def observe(state: RelayState) -> None:
        oldest = state.oldest_unsent_at
        gauge.set(0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds()))

    return observe


class Relay:
    """A thread that keeps an outbox empty."""

    def __init__(
        self,
        db: Database,
        table: Table,
        writer: LogWriter,
        deliver_statement: Callable[[str, bytes], None],
        clock: Clock,
        observe: Callable[[RelayState], None] = lambda _state: None,
    ) -> None:
        """`deliver_statement(kind, body)` returns when consent took it, twice if need be, and raises otherwise.

        `observe` is told the state after every round.
        """
        self._db, self._table, self._writer, self._clock, self._observe = db, table, writer, clock, observe
        self._rounds = Rounds(db, table, writer, deliver_statement, clock, self._tell)
        self._failures = 0
        self._purge_at = clock.monotonic()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._passed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Begin publishing."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the round under way, stop, and close the writer; what is unsent waits for the next process."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._writer.close()

    def nudge(self) -> None:
        """Look at once: something was committed."""
        self._wake.set()

    def flush(self, timeout: float, *subject_ids: str) -> bool:
        """Wait until what lies in the outbox now has arrived, of these subjects or of all; tell whether it did in time.

        For a caller whose answer must follow its scope statements: name the subjects, so that nobody else's stuck
        statement makes it wait.
        """
        with self._db.read() as connection:
            last = outbox.newest_unsent(connection, self._table, subject_ids)
        self.nudge()

        def is_sent() -> bool:
            with self._db.read() as connection:
                return outbox.is_sent_up_to(connection, self._table, last, subject_ids)

        with self._passed:
            return self._passed.wait_for(is_sent, timeout)

    def run_once(self) -> int:
        """Run one round in the caller's thread and return how many rows arrived. For a relay that is not started.

        Raises LogUnavailableError when the log is away.
        """
        try:
            return self._rounds.pass_over()
        finally:
            self._tell()

    def _tell(self) -> None:
        with self._passed:
            self._passed.notify_all()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._guarded_round())
            self._wake.clear()

    def _guarded_round(self) -> float:
        """Run a round and return how long to wait for the next one."""
        try:
            self.run_once()
            self._purge_when_due()
            self._failures = 0
        except Exception as error:  # noqa: BLE001 - the thread outlives every failure; rows stay unsent
            self._failures += 1
            level = logging.WARNING if is_away(error) else logging.ERROR
            _log.log(level, "relay waits", extra={"reason": type(error).__name__})
        self._report()
        return next_pause(self._failures) if self._failures else self._rounds.until_next_try(_IDLE_SECONDS)

    def _purge_when_due(self) -> None:
        if self._clock.monotonic() >= self._purge_at:
            self._purge_at = self._clock.monotonic() + _PURGE_EVERY_SECONDS
            with self._db.write() as connection:
                outbox.purge_sent(connection, self._table, self._clock.now())

    def _report(self) -> None:
        try:
            with self._db.read() as connection:
                oldest = outbox.oldest_unsent(connection, self._table)
            self._observe(RelayState(oldest, self._rounds.held(), self._failures > 0))
        except Exception as error:  # noqa: BLE001 - a metric must not stop what it measures
            _log.warning("relay state unknown", extra={"reason": type(error).__name__})
