"""The feed's writer: one thread that keeps the feed up with the log, and with what consent tells of changes."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.feed import readings, store
from gateway.feed.consent import Consent
from gateway.feed.followups import FollowUps
from gateway.feed.ingest import Ingest
from gateway.models import OFFSETS
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import offsets
from services.shared.events.away import is_away, pause
from services.shared.events.keys import Change, LeaseLostError, Leases, Session
from services.shared.events.log import LogReader
from services.shared.telemetry.metrics import CONSUMER_LAG, DEAD_LETTERS

_log = logging.getLogger(__name__)
_CONSUMER = "gateway"
_BATCH = 100
_IDLE_SECONDS = 1.0
_MOST_PAUSE_SECONDS = 1.0
_TIDY_EVERY_SECONDS = 24 * 3600.0
# Longer than topics keep events: an outcome may come long after the referral.
_REFERRALS_KEPT = timedelta(days=430)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What the writer reads from and writes to. `ring` is told whose feeds have grown."""

    db: Database
    reader: LogReader
    consent: Consent
    session: Session
    followups: FollowUps
    ring: Callable[[Iterable[str]], None]
    kept: timedelta
    clock: Clock
    topics: Sequence[str] = ()


class FeedWriter:
    """A thread over all topics that anybody may be told of."""

    def __init__(self, sources: Sources) -> None:
        """Wire the parts; nothing is read before `start`."""
        self._its = sources
        self._topics = tuple(sources.topics or readings.topics())
        leases = Leases(sources.consent, sources.session, sources.clock)
        self._ingest = Ingest(sources.db, sources.consent, leases, sources.kept, sources.clock, self._on_dead)
        self._tidy_at = sources.clock.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed-writer", daemon=True)
        sources.session.on_change(self._changed)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch under way, stop, and close the reader."""
        self._stopping.set()
        self._its.reader.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._its.reader.close()

    def poisoned(self) -> bool:
        """Tell whether it gave up because it had to give up too many events."""
        return self._ingest.are_poisoned()

    def look_again(self, subject_ids: Iterable[str]) -> None:
        """Ask again who follows these subjects, and feed again what was withheld; from any thread."""
        self._its.followups.add(subject_ids)
        self._its.reader.wake()

    def run_once(self) -> bool:
        """Run one round over follow-ups and topics; returns whether there was anything. The thread's body, and tests'.

        Raises what `is_away` knows; then the next round tries the same again.
        """
        if not self._its.session.alive():
            raise LeaseLostError("no session with consent")
        found = self._follow_up() or self._walk()
        for topic in self._topics:
            if self.poisoned():
                break
            count, grown = self._ingest.batch(self._its.reader, topic, _BATCH)
            self._its.ring(grown)
            found = count > 0 or found
        return found

    def _follow_up(self) -> bool:
        subjects = self._its.followups.take(_BATCH)
        if not subjects:
            return False
        try:
            with self._its.db.read() as connection:
                fed = store.fed_subjects(connection, subjects)
            self._reconcile(fed)
        except BaseException:
            self._its.followups.add(subjects)
            raise
        return True

    def _walk(self) -> bool:
        after = self._its.followups.walked_to()
        if after is None:
            return False
        with self._its.db.read() as connection:
            subjects = store.subjects_after(connection, after, _BATCH)
        self._reconcile(subjects)
        self._its.followups.walk_on(subjects[-1] if subjects else None)
        return True

    def _reconcile(self, subjects: Sequence[str]) -> None:
        """Bring new followers all events of these subjects, and the lanes what they passed over."""
        followers = self._its.consent.followers(subjects)
        now, grown = self._its.clock.now(), set[str]()
        if not followers:
            return
        with self._its.db.write() as connection:
            store.hold(connection)
            for subject in subjects:
                grown |= store.follow(connection, subject, followers[subject], now - self._its.kept, now)
                grown |= store.feed_again(connection, subject, now)
        self._its.ring(grown)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set() and not self.poisoned():
            try:
                found = self.run_once()
                self._tidy_when_due()
                failures = 0
                if not found:
                    self._measure_lag()
                    self._its.reader.wait(_IDLE_SECONDS)
            except Exception as error:  # noqa: BLE001 - nothing was taken in; whatever it is, it is tried again
                failures += 1
                self._pause(error, failures)
        if self.poisoned():
            _log.critical("feed stopped: too many events could not be read")

    def _pause(self, error: Exception, failures: int) -> None:
        level = logging.WARNING if is_away(error) else logging.ERROR
        _log.log(level, "feed waits", extra={"reason": type(error).__name__})
        share = random.random()  # noqa: S311 - spreads retries, guards nothing
        self._stopping.wait(pause(failures, share, _MOST_PAUSE_SECONDS))

    def _measure_lag(self) -> None:
        for topic in self._topics:
            with self._its.db.read() as connection:
                position = offsets.position(connection, OFFSETS, topic)
            CONSUMER_LAG.labels(_CONSUMER, topic).set(max(0, self._its.reader.end_offset(topic) - position))

    def _tidy_when_due(self) -> None:
        if self._its.clock.monotonic() < self._tidy_at:
            return
        self._tidy_at = self._its.clock.monotonic() + _TIDY_EVERY_SECONDS
        now = self._its.clock.now()
        with self._its.db.write() as connection:
            store.purge(connection, now - self._its.kept, now - _REFERRALS_KEPT)
        # What became true by itself as time passed, consent tells of nobody.
        self._its.followups.wish_all()

    def _on_dead(self, topic: str, reason: str) -> None:
        DEAD_LETTERS.labels(_CONSUMER, topic, reason).inc()
        _log.error("event given up", extra={"topic": topic, "reason": reason})

    def _changed(self, change: Change) -> None:
        self._its.followups.note(change)  # type: ignore[arg-type]
        self._its.reader.wake()
