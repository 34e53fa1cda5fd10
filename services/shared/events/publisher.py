"""How an area says that something happened: prepare outside of the transaction, put inside.

Keys come from consent over the network, and SQLite has one writer: so events are sealed before the transaction begins,
and only rows are written within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from lead.consent.v1.consent_internal_service_pb2 import SealingLease, SealingNeed
from lead.envelope.v1.envelope_pb2 import Routing
from lead.options.v1 import words_pb2
from sqlalchemy import Connection, Table

from services.shared.clock import Clock
from services.shared.events import cloudevents, outbox
from services.shared.events.keys import SealingKeys
from services.shared.events.outbox import SealedRow, Statement
from services.shared.events.seal import seal
from services.shared.events.split import Part, split
from services.shared.ids import Ids
from services.shared.telemetry import trace


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """Something that happened to a record: the message says what, the rest says of whom and whose record it is.

    `version` is the record's after the change. `statements` arrive at consent before the event reaches the log.
    """

    message: Message
    record_id: str
    subject_id: str
    source_agency_id: str
    version: int
    statements: tuple[Statement, ...] = ()
    # Number of the category of leaves that have their row's; 0 where the message has none of them.
    row_category: int = 0


class Prepared:
    """Sealed events that only need to be written down."""

    def __init__(self, table: Table, clock: Clock, rows: Sequence[tuple[tuple[Statement, ...], SealedRow]]) -> None:
        """Keep the rows, each with the statements before it."""
        self._table, self._clock, self._rows = table, clock, rows

    def put(self, connection: Connection) -> None:
        """Add statements and events to the outbox, in the transaction that makes them true; then nudge the relay."""
        now = self._clock.now()
        said: list[Statement | SealedRow] = []
        for statements, event in self._rows:
            said += [*statements, event]
        outbox.put(connection, self._table, said, now)


class Publisher:
    """Seals an area's events for its outbox. Safe to share between threads."""

    def __init__(self, area: str, table: Table, keys: SealingKeys, clock: Clock, ids: Ids) -> None:
        """Publish on the topic that bears the area's word, by way of the outbox `table`."""
        self._area, self._table, self._keys, self._clock, self._ids = area, table, keys, clock, ids

    def prepare(self, events: Sequence[OutgoingEvent]) -> Prepared:
        """Return the events sealed, in order, with one request for their keys; call it outside of a transaction.

        Raises LeadError when consent does not answer, LabelError or ValueError for a message that is no event of the
        area.
        """
        for event in events:
            self._check(event)
        parts = [split(event.message, event.record_id, event.row_category) for event in events]
        needs = [_need(event, its) for event, its in zip(events, parts, strict=True)]
        leases = self._keys.lease(needs) if needs else ()
        rows = [
            (event.statements, self._seal(event, its, lease))
            for event, its, lease in zip(events, parts, leases, strict=True)
        ]
        return Prepared(self._table, self._clock, rows)

    def _check(self, event: OutgoingEvent) -> None:
        name = event.message.DESCRIPTOR.full_name
        if name != f"lead.{self._area}.v1.{event.message.DESCRIPTOR.name}":
            raise ValueError(f"{name} is no event of {self._area}")

    def _seal(self, event: OutgoingEvent, parts: Sequence[Part], lease: SealingLease) -> SealedRow:
        here = trace.current_traceparent()
        envelope = cloudevents.envelope(self._ids.new("evt"), self._area, self._clock.now(), lease.pseudonym)
        routing = Routing(
            event_name=event.message.DESCRIPTOR.name,
            record_id=event.record_id,
            subject_id=event.subject_id,
            source_agency_id=event.source_agency_id,
            version=event.version,
            trace_parent=here,
        )
        return SealedRow(
            topic=self._area,
            subject_id=event.subject_id,
            key=envelope.pseudonym.encode(),
            value=seal(envelope, routing, parts, lease),
            headers=cloudevents.headers(envelope),
            trace_parent=here,
        )


def _need(event: OutgoingEvent, parts: Sequence[Part]) -> SealingNeed:
    if not parts:
        raise ValueError("an event without any field says nothing")
    sections = [
        SealingNeed.SectionNeed(category=words_pb2.Category.ValueType(part.category), record_id=part.record_id)
        for part in parts
    ]
    return SealingNeed(subject_id=event.subject_id, source_agency_id=event.source_agency_id, sections=sections)
