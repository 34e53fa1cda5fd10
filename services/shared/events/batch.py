"""One batch, live or off the shelf: keys for all, then effects, inbox, position and shelf in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from sqlalchemy import Connection

from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import dead_letters, inbox, offsets, shelf
from services.shared.events.away import is_away
from services.shared.events.cloudevents import MalformedEventError, headers
from services.shared.events.dead_letters import Bounds
from services.shared.events.effect import Effects
from services.shared.events.incoming import Incoming, Opened, from_record, from_shelf, open_event
from services.shared.events.keys import Lease, Leases, ReleasedKeys
from services.shared.events.log import START, LogReader, LogRecord
from services.shared.events.seal import SealBrokenError
from services.shared.events.shelf import Shelved
from services.shared.events.tables import ConsumerTables


@dataclass
class _Tally:
    """What happened in a batch; it counts once the batch is committed."""

    bounds: Bounds
    subjects: set[str] = field(default_factory=set)
    dead: list[tuple[str, str]] = field(default_factory=list)


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
        tally = _Tally(self._bounds.copy())
        with ExitStack() as until_committed, self._db.write() as connection:
            opened = self._open_late(connection, events, lease, tally)
            for one in sorted(opened, key=lambda one: one.routing.version):
                self._apply_late(connection, one, tally)
            until_committed.enter_context(self._leases.committing(lease, tally.subjects))
        self._settle(tally)

    def _apply_live(self, topic: str, position: int, records: Sequence[LogRecord]) -> None:
        read = [_read(record) for record in records]
        lease, released = self._release([event for event in read if isinstance(event, Incoming)])
        tally = _Tally(self._bounds.copy())
        with ExitStack() as until_committed, self._db.write() as connection:
            if offsets.position(connection, self._tables.offsets, topic, lock=True) != position:
                # Another process of this area was quicker; what it applied is in the inbox.
                return
            for record, event in zip(records, read, strict=True):
                self._apply_record(connection, record, event, released, tally)
                position = record.offset
                if tally.bounds.are_broken():
                    break
            offsets.move(connection, self._tables.offsets, topic, position)
            if lease is not None:
                until_committed.enter_context(self._leases.committing(lease, tally.subjects))
        self._settle(tally)

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

    def _apply_record(
        self,
        connection: Connection,
        record: LogRecord,
        event: Incoming | MalformedEventError,
        released: Mapping[str, ReleasedKeys],
        tally: _Tally,
    ) -> None:
        now = self._clock.now()
        if isinstance(event, MalformedEventError):
            self._bury(connection, record.topic, record.offset, record.headers, event, tally)
            return
        if inbox.seen(connection, self._tables.inbox, event.envelope.event_id, now):
            return
        try:
            opened = open_event(event, released[event.envelope.event_id])
            if opened is None:
                shelf.shelve(connection, self._tables.shelf, event.sections, now)
            else:
                tally.subjects.add(opened.routing.subject_id)
                self._effects.apply(connection, opened, now, late=False)
            tally.bounds.count(dead=False)
        except Exception as error:
            if is_away(error):
                raise
            self._bury(connection, record.topic, record.offset, record.headers, error, tally)

    def _open_late(
        self, connection: Connection, events: Sequence[Incoming], lease: Lease, tally: _Tally
    ) -> list[Opened]:
        opened = []
        for event, released in zip(events, lease.events, strict=True):
            try:
                found = open_event(event, released)
            except SealBrokenError as error:
                self._bury_late(connection, event, error, tally)
                continue
            if found is not None:
                opened.append(found)
        return opened

    def _apply_late(self, connection: Connection, opened: Opened, tally: _Tally) -> None:
        tally.subjects.add(opened.routing.subject_id)
        try:
            self._effects.apply(connection, opened, self._clock.now(), late=True)
            tally.bounds.count(dead=False)
        except Exception as error:
            if is_away(error):
                raise
            self._bury_late(connection, opened.incoming, error, tally)

    def _bury_late(self, connection: Connection, event: Incoming, error: Exception, tally: _Tally) -> None:
        shelf.take(connection, self._tables.shelf, [one.place for one in event.sections])
        self._bury(connection, event.envelope.topic, START, headers(event.envelope), error, tally)

    def _bury(
        self,
        connection: Connection,
        topic: str,
        offset: int,
        shown: Mapping[str, bytes],
        error: Exception,
        tally: _Tally,
    ) -> None:
        dead_letters.bury(connection, self._tables.dead_letters, topic, offset, shown, error, self._clock.now())
        tally.bounds.count(dead=True)
        tally.dead.append((topic, type(error).__name__))

    def _settle(self, tally: _Tally) -> None:
        self._bounds = tally.bounds
        for topic, reason in tally.dead:
            self._on_dead(topic, reason)


def _read(record: LogRecord) -> Incoming | MalformedEventError:
    try:
        return from_record(record)
    except MalformedEventError as error:
        return error
