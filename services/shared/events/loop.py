"""The one consumer loop of all areas: poll, ask for keys in bulk, apply, move on.

What may not be opened waits on the shelf; what cannot be applied becomes a dead letter; when the log, the database or
consent is away the loop pauses and tries the same batch again. When too many events die it stops, loudly, and the
process reports that it is not ready.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import inbox, offsets, shelf
from services.shared.events.away import is_away, pause
from services.shared.events.batch import Batches
from services.shared.events.delivery import AnyHandler
from services.shared.events.effect import Effects
from services.shared.events.keys import Change, LeaseLostError, Leases, ReleasingKeys, Session
from services.shared.events.late import Late
from services.shared.events.log import LogReader
from services.shared.events.tables import ConsumerTables
from services.shared.telemetry.metrics import CONSUMER_LAG, DEAD_LETTERS

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0
_MOST_PAUSE_SECONDS = 1.0
_TIDY_EVERY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """What one area consumes, with what. `handlers` by event name, over all topics."""

    area: str
    topics: Sequence[str]
    reader: LogReader
    db: Database
    tables: ConsumerTables
    keys: ReleasingKeys
    session: Session
    handlers: Mapping[str, AnyHandler]
    clock: Clock
    # Records per transaction: a revocation waits for a commit under way, so it is kept short.
    batch: int = 100


class ConsumerLoop:
    """A thread that keeps one consumer up with its topics."""

    def __init__(self, consumer: Consumer) -> None:
        """Wire the parts; nothing is read before `start`."""
        self._its = consumer
        leases = Leases(consumer.keys, consumer.session, consumer.clock)
        effects = Effects(consumer.tables, consumer.handlers)
        self._batches = Batches(consumer.db, consumer.tables, leases, effects, consumer.clock, self._on_dead)
        self._late = Late(consumer.db, consumer.tables, consumer.session, self._batches)
        self._is_well = False
        self._tidy_at = consumer.clock.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)
        consumer.session.on_change(self._wake)

    def start(self) -> None:
        """Begin consuming."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch under way, stop, and close the reader."""
        self._stopping.set()
        self._its.reader.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._its.reader.close()

    def ready(self) -> bool:
        """Tell whether the loop runs and its last round went well; False for good once it stopped itself."""
        return self._is_well and self._thread.is_alive()

    def run_once(self) -> bool:
        """Run one round over shelf and topics; returns whether anything was there. The thread's body, and the tests'.

        Raises what `is_away` knows; then the next round tries the same again.
        """
        if not self._its.session.alive():
            raise LeaseLostError("no session with consent")
        found = self._late.round()
        for topic in self._its.topics:
            if self._batches.are_poisoned():
                break
            found = self._batches.live(self._its.reader, topic, self._its.batch) > 0 or found
        return found

    def poisoned(self) -> bool:
        """Tell whether the loop gave up because it had to give up too many events."""
        return self._batches.are_poisoned()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set() and not self.poisoned():
            try:
                found = self.run_once()
                self._tidy_when_due()
                self._is_well, failures = True, 0
                if not found:
                    self._measure_lag()
                    self._its.reader.wait(_IDLE_SECONDS)
            except Exception as error:  # noqa: BLE001 - nothing was applied; whatever it is, the batch is tried again
                self._is_well = False
                failures += 1
                self._pause(error, failures)
        self._is_well = False
        if self.poisoned():
            _log.critical("consumer stopped: too many events could not be applied", extra={"area": self._its.area})

    def _pause(self, error: Exception, failures: int) -> None:
        level = logging.WARNING if is_away(error) else logging.ERROR
        _log.log(level, "consumer waits", extra={"area": self._its.area, "reason": type(error).__name__})
        share = random.random()  # noqa: S311 - spreads retries, guards nothing
        self._stopping.wait(pause(failures, share, _MOST_PAUSE_SECONDS))

    def _measure_lag(self) -> None:
        for topic in self._its.topics:
            with self._its.db.read() as connection:
                position = offsets.position(connection, self._its.tables.offsets, topic)
            lag = self._its.reader.end_offset(topic) - position
            CONSUMER_LAG.labels(self._its.area, topic).set(max(0, lag))

    def _tidy_when_due(self) -> None:
        if self._its.clock.monotonic() < self._tidy_at:
            return
        self._tidy_at = self._its.clock.monotonic() + _TIDY_EVERY_SECONDS
        now = self._its.clock.now()
        with self._its.db.write() as connection:
            inbox.forget(connection, self._its.tables.inbox, now)
            shelf.forget(connection, self._its.tables.shelf, now)

    def _on_dead(self, topic: str, reason: str) -> None:
        DEAD_LETTERS.labels(self._its.area, topic, reason).inc()
        _log.error("event given up", extra={"area": self._its.area, "topic": topic, "reason": reason})

    def _wake(self, _change: Change) -> None:
        self._its.reader.wake()
