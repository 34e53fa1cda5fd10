"""One batch, live or off the shelf: keys for all, then effects, inbox, position and shelf in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import dead_letters, inbox, offsets, shelf, steps
from services.shared.events.away import is_away
from services.shared.events.dead_letters import Bounds
from services.shared.events.effect import Effects
from services.shared.events.incoming import Incoming, from_shelf
from services.shared.events.keys import Lease, Leases, ReleasedKeys
from services.shared.events.log import LogReader, LogRecord
from services.shared.events.shelf import Shelved
from services.shared.events.steps import Step
from services.shared.events.tables import ConsumerTables


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which records of a topic a batch is of: those after one offset, up to another."""

    topic: str
    after: int
    to: int


@dataclass
class _Tally:
    """What happened in a batch; it counts once the batch is committed. `late`: it came off the shelf."""

    bounds: Bounds
    late: bool = False
    dead: list[tuple[str, str]] = field(default_factory=list)

    def must_stop(self) -> bool:
        """Tell whether nothing more of this batch may be applied. What came off the shelf is brought to its end."""
        return not self.late and self.bounds.are_broken()


class Batches:
    """Applies batches for one consumer. Used by one thread."""

    def __init__(
        self,
        db: Database,
        tables: ConsumerTables,
        leases: Leases,
        effects: Effects,
        clock: Clock,
        on_dead: Callable[[str, str], None],
    ) -> None:
        """`on_dead(topic, reason)` is told of every event given up, after the commit."""
        self._db, self._tables, self._leases, self._effects, self._clock = db, tables, leases, effects, clock
        self._on_dead = on_dead
        self._bounds = Bounds()

    def are_poisoned(self) -> bool:
        """Tell whether so many events were given up that going on would be wrong."""
        return self._bounds.are_broken()

    def live(self, reader: LogReader, topic: str, limit: int) -> int:
        """Apply the next records of a topic; returns how many there were.

        Raises what `is_away` knows, and then nothing was applied.
        """
        with self._db.read() as connection:
            position = offsets.position(connection, self._tables.offsets, topic)
        records = reader.poll(topic, position, limit)
        if records:
            self._apply_live(topic, position, records)
        return len(records)

    def late(self, found: Sequence[Shelved]) -> None:
        """Ask again for what lies on the shelf, and apply what opens, older versions first. Raises as `live` does."""
        events = from_shelf(found)
        if not events:
            return
        lease = self._leases.take([event.ask() for event in events])
        ready = steps.late(events, lease.events)
        self._in_doubt_one_by_one(lambda careful: self._commit_late(ready, lease, careful=careful))

    def _apply_live(self, topic: str, position: int, records: Sequence[LogRecord]) -> None:
        events = [steps.read(record) for record in records]
        lease, released = self._release([event for event in events if isinstance(event, Incoming)])
        ready = list(steps.live(records, events, released))
        reach = _Reach(topic, position, records[-1].offset)
        self._in_doubt_one_by_one(lambda careful: self._commit_live(reach, ready, lease, careful=careful))

    def _release(self, events: Iterable[Incoming]) -> tuple[Lease | None, Mapping[str, ReleasedKeys]]:
        """Ask for the keys of those that are new: each release is written down, so a duplicate asks for none."""
        by_id = {event.envelope.event_id: event for event in events}
        with self._db.read() as connection:
            for event_id in inbox.known(connection, self._tables.inbox, by_id):
                del by_id[event_id]
        if not by_id:
            return None, {}
        lease = self._leases.take([event.ask() for event in by_id.values()])
        return lease, dict(zip(by_id, lease.events, strict=True))

    def _in_doubt_one_by_one(self, commit: Callable[[bool], None]) -> None:
        """Commit all steps together; when one of them spoils that, each by itself, so that only that one is given up.

        Handlers have no effect outside the transaction, so one that was taken back may be called again.
        """
        try:
            commit(False)
        except Exception as error:
            if is_away(error):
                raise
            commit(True)

    def _commit_live(self, reach: _Reach, ready: Sequence[Step], lease: Lease | None, *, careful: bool) -> None:
        tally = _Tally(self._bounds.copy())
        with ExitStack() as until_committed, self._db.write() as connection:
            if offsets.position(connection, self._tables.offsets, reach.topic, lock=True) != reach.after:
                # Another process of this area was quicker; what it applied is in the inbox.
                return
            done = self._apply(connection, ready, tally, careful=careful)
            inbox.note(connection, self._tables.inbox, [one.event_id for one in done if one.event_id], self._now())
            to = reach.to if len(done) == len(ready) else done[-1].offset
            offsets.move(connection, self._tables.offsets, reach.topic, to)
            if lease is not None:
                until_committed.enter_context(self._leases.committing(lease, _subjects(ready)))
        self._settle(tally)

    def _commit_late(self, ready: Sequence[Step], lease: Lease, *, careful: bool) -> None:
        tally = _Tally(self._bounds.copy(), late=True)
        with ExitStack() as until_committed, self._db.write() as connection:
            self._apply(connection, ready, tally, careful=careful)
            until_committed.enter_context(self._leases.committing(lease, _subjects(ready)))
        self._settle(tally)

    def _apply(self, connection: Connection, ready: Sequence[Step], tally: _Tally, *, careful: bool) -> Sequence[Step]:
        """Apply steps in their order; returns those that were, all of them unless too many live ones are given up."""
        return (self._one_by_one if careful else self._together)(connection, ready, tally)

    def _together(self, connection: Connection, ready: Sequence[Step], tally: _Tally) -> Sequence[Step]:
        """Raises what any handler raises."""
        gathered = self._effects.begin(connection, [step.opened for step in ready if step.opened is not None])
        done = []
        for step in ready:
            done.append(step)
            if step.error is not None:
                self._bury(connection, step, step.error, tally)
                if tally.must_stop():
                    break
                continue
            if step.opened is None:
                gathered.shelved += step.sections
            else:
                self._effects.apply(connection, step.opened, gathered, late=tally.late)
            tally.bounds.count(dead=False)
        self._effects.finish(connection, gathered, self._now())
        return done

    def _one_by_one(self, connection: Connection, ready: Sequence[Step], tally: _Tally) -> Sequence[Step]:
        for number, step in enumerate(ready, start=1):
            before = tally.bounds.copy()
            try:
                with connection.begin_nested():
                    self._together(connection, [step], tally)
            except Exception as error:
                if is_away(error):
                    raise
                tally.bounds = before
                self._bury(connection, step, error, tally)
            if tally.must_stop():
                return ready[:number]
        return ready

    def _bury(self, connection: Connection, step: Step, error: Exception, tally: _Tally) -> None:
        if tally.late:
            shelf.take(connection, self._tables.shelf, [one.place for one in step.sections])
        dead_letters.bury(
            connection, self._tables.dead_letters, step.topic, step.offset, step.shown, error, self._now()
        )
        tally.bounds.count(dead=True)
        tally.dead.append((step.topic, type(error).__name__))

    def _settle(self, tally: _Tally) -> None:
        self._bounds = tally.bounds
        for topic, reason in tally.dead:
            self._on_dead(topic, reason)

    def _now(self) -> datetime:
        return self._clock.now()


def _subjects(ready: Iterable[Step]) -> set[str]:
    return {step.opened.routing.subject_id for step in ready if step.opened is not None}
