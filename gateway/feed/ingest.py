"""One batch of a topic: routing keys for all, then events, pointers and position in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from google.protobuf.message import DecodeError
from lead.envelope.v1.envelope_pb2 import Routing
from sqlalchemy import Connection

from gateway.feed import readings, store
from gateway.feed.consent import Consent, Followers
from gateway.feed.store import FeedEvent
from gateway.models import DEAD_LETTERS, OFFSETS
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events import dead_letters, offsets
from services.shared.events.cloudevents import MalformedEventError, time_of
from services.shared.events.dead_letters import Bounds
from services.shared.events.incoming import Incoming, from_record
from services.shared.events.keys import Leases, SealedKeys
from services.shared.events.log import LogReader, LogRecord
from services.shared.events.seal import SealBrokenError, open_routing

# What a record of the log turned out to be: an event of the feed, one that is nobody's, or none at all.
_Read = FeedEvent | Exception | None


@dataclass
class _Tally:
    """What happened in a batch; it counts once the batch is committed."""

    bounds: Bounds
    grown: set[str] = field(default_factory=set)
    dead: list[str] = field(default_factory=list)


class Ingest:
    """Takes events into the feed. Used by one thread."""

    def __init__(
        self,
        db: Database,
        consent: Consent,
        leases: Leases,
        kept: timedelta,
        clock: Clock,
        on_dead: Callable[[str, str], None],
    ) -> None:
        """Keep events for `kept`; `on_dead(topic, reason)` is told of every event given up, after the commit."""
        self._db, self._consent, self._leases, self._kept, self._clock = db, consent, leases, kept, clock
        self._on_dead = on_dead
        self._bounds = Bounds()

    def are_poisoned(self) -> bool:
        """Tell whether so many events were given up that going on would be wrong."""
        return self._bounds.are_broken()

    def batch(self, reader: LogReader, topic: str, limit: int) -> tuple[int, set[str]]:
        """Take in the next records of a topic; returns how many there were, and whose feeds have grown.

        Raises what `is_away` knows, and then nothing was taken in.
        """
        with self._db.read() as connection:
            position = offsets.position(connection, OFFSETS, topic)
        records = reader.poll(topic, position, limit)
        if not records:
            return 0, set()
        read = self._read(records)
        told = {one.subject_id for one in read if isinstance(one, FeedEvent) and self._is_told(one)}
        followers = self._consent.followers(sorted(told))
        tally = _Tally(self._bounds.copy())
        with self._db.write() as connection:
            store.hold(connection)
            if offsets.position(connection, OFFSETS, topic, lock=True) != position:
                # Another process of the gateway was quicker.
                return 0, set()
            for record, one in zip(records, read, strict=True):
                self._take(connection, record, one, followers, tally)
                position = record.offset
                if tally.bounds.are_broken():
                    break
            offsets.move(connection, OFFSETS, topic, position)
        self._settle(topic, tally)
        return len(records), tally.grown

    def _read(self, records: Sequence[LogRecord]) -> list[_Read]:
        read = [_parsed(record) for record in records]
        asked = [one for one in read if isinstance(one, Incoming)]
        lease = self._leases.take([SealedKeys(routing_key_id=one.routing.key_id) for one in asked]) if asked else None
        keys = iter(lease.events if lease else ())
        return [_opened(one, next(keys).routing.key) if isinstance(one, Incoming) else one for one in read]

    def _take(self, connection: Connection, record: LogRecord, one: _Read, followers: Followers, tally: _Tally) -> None:
        now = self._clock.now()
        if isinstance(one, Exception):
            dead_letters.bury(connection, DEAD_LETTERS, record.topic, record.offset, record.headers, one, now)
            tally.dead.append(type(one).__name__)
        tally.bounds.count(dead=isinstance(one, Exception))
        if not isinstance(one, FeedEvent):
            return
        if (one.topic, one.name) == readings.REFERRAL:
            store.note_referral(connection, one.subject_id, one.record_id, one.version, now)
            # What waited for the referral's id.
            tally.grown |= store.feed_again(connection, one.subject_id, now)
        if one.subject_id in followers and self._is_told(one) and not store.known(connection, [one.event_id]):
            store.add(connection, one, now)
            followed_by = followers[one.subject_id] | {one.source_agency_id}
            tally.grown |= store.follow(connection, one.subject_id, followed_by, now - self._kept, now)

    def _is_told(self, one: FeedEvent) -> bool:
        """Tell whether anybody may ever be told of the event, and it is not too long ago."""
        return bool(readings.readings(one.topic, one.name)) and one.happened_at >= self._clock.now() - self._kept

    def _settle(self, topic: str, tally: _Tally) -> None:
        self._bounds = tally.bounds
        for reason in tally.dead:
            self._on_dead(topic, reason)


def _parsed(record: LogRecord) -> Incoming | MalformedEventError:
    try:
        return from_record(record)
    except MalformedEventError as error:
        return error


def _opened(incoming: Incoming, key: bytes) -> _Read:
    """Return the event that a routing section names; None where its key is destroyed: then nobody hears of it."""
    if not key:
        return None
    try:
        routing = open_routing(incoming.envelope, incoming.routing, key)
    except (SealBrokenError, DecodeError) as error:
        return error
    return _event(incoming, routing)


def _event(incoming: Incoming, routing: Routing) -> FeedEvent:
    return FeedEvent(
        event_id=incoming.envelope.event_id,
        topic=incoming.envelope.topic,
        name=routing.event_name,
        record_id=routing.record_id,
        subject_id=routing.subject_id,
        source_agency_id=routing.source_agency_id,
        version=routing.version,
        happened_at=time_of(incoming.envelope),
    )
