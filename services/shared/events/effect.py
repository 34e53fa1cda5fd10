"""The effects of opened events: each by its handler, with the parts that are new; the rest to the shelf.

What the events of a batch write beside their handlers' effects is gathered and written in a few statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from lead.envelope.v1.envelope_pb2 import Routing
from sqlalchemy import Connection

from services.shared.events import cloudevents, shelf
from services.shared.events.applied import Slot, Versions
from services.shared.events.delivery import AnyHandler, Delivery, OpenedPart
from services.shared.events.incoming import Opened
from services.shared.events.shelf import Shelved
from services.shared.events.tables import ConsumerTables
from services.shared.telemetry import trace


@dataclass
class Gathered:
    """What events write beside their handlers' effects; it is lost when `Effects.finish` does not follow."""

    versions: Versions
    shelved: list[Shelved] = field(default_factory=list)
    # Places on the shelf that are done with, and those that stay, with the agencies that have them now.
    taken: list[int] = field(default_factory=list)
    opened: dict[int, frozenset[str]] = field(default_factory=dict)


class Effects:
    """Applies events by their handlers, in whatever transaction it is given."""

    def __init__(self, tables: ConsumerTables, handlers: Mapping[str, AnyHandler]) -> None:
        """`handlers` by event name; a name that is not there is skipped: a newer producer says more than we know."""
        self._tables, self._handlers = tables, handlers

    def begin(self, connection: Connection, events: Iterable[Opened]) -> Gathered:
        """Read which versions were applied of what these events are about."""
        slots = [
            _slot(handler, opened.routing, part, agency)
            for opened in events
            if (handler := self._handler(opened)) is not None
            for sealed, part in opened.sections
            if part is not None
            for agency in part.agencies - sealed.agencies
        ]
        return Gathered(Versions(connection, self._tables.applied, slots))

    def apply(self, connection: Connection, opened: Opened, gathered: Gathered, *, late: bool) -> None:
        """Call the handler with what is new, and gather what has to stay on the shelf; `begin` knew of the event.

        Raises what the handler raises: then neither its effect nor what was gathered may be committed.
        """
        handler = self._handler(opened)
        if handler is not None:
            self._call(connection, handler, opened, gathered.versions, late=late)
        if late:
            _tidy(gathered, handler, opened)
        elif handler is not None:
            gathered.shelved += _kept(handler, opened)

    def finish(self, connection: Connection, gathered: Gathered, now: datetime) -> None:
        """Write what was gathered."""
        gathered.versions.store(connection)
        shelf.shelve(connection, self._tables.shelf, gathered.shelved, now)
        shelf.take(connection, self._tables.shelf, gathered.taken)
        shelf.note_opened(connection, self._tables.shelf, gathered.opened)

    def _handler(self, opened: Opened) -> AnyHandler | None:
        handler = self._handlers.get(opened.routing.event_name)
        topic = opened.incoming.envelope.topic
        # Two areas may use one name; the package says whose event it is.
        if handler is None or handler.full_name != f"lead.{topic}.v1.{opened.routing.event_name}":
            return None
        return handler

    def _call(
        self, connection: Connection, handler: AnyHandler, opened: Opened, versions: Versions, *, late: bool
    ) -> None:
        parts = tuple(_new_parts(handler, opened, versions))
        if not parts:
            return
        routing, envelope = opened.routing, opened.incoming.envelope
        delivery = Delivery(
            message_class=handler.message_class,
            event_id=envelope.event_id,
            topic=envelope.topic,
            record_id=routing.record_id,
            subject_id=routing.subject_id,
            source_agency_id=routing.source_agency_id,
            version=routing.version,
            time=cloudevents.time_of(envelope),
            parts=parts,
            late=late,
        )
        links = [routing.trace_parent, opened.incoming.trace_parent]
        with trace.span("consume", kind="consumer", parent=trace.extract(()), links=links):
            handler.apply(connection, delivery)


def _new_parts(handler: AnyHandler, opened: Opened, versions: Versions) -> Iterator[OpenedPart]:
    """Yield each part for the agencies that have neither it nor a newer version."""
    for sealed, part in opened.sections:
        if part is None:
            continue
        fresh = {
            agency
            for agency in part.agencies - sealed.agencies
            if versions.advance(_slot(handler, opened.routing, part, agency), opened.routing.version)
        }
        if fresh:
            yield replace(part, agencies=frozenset(fresh))


def _tidy(gathered: Gathered, handler: AnyHandler | None, opened: Opened) -> None:
    """After a late delivery: off the shelf with what was opened, unless other agencies may come."""
    keeps = handler is not None and handler.for_later_agencies
    for sealed, part in opened.sections:
        if part is not None and keeps:
            gathered.opened[sealed.place] = sealed.agencies | part.agencies
        elif part is not None:
            gathered.taken.append(sealed.place)


def _slot(handler: AnyHandler, routing: Routing, part: OpenedPart, agency_id: str) -> Slot:
    return Slot(handler.versions_of, routing.record_id, routing.subject_id, part.category, part.record_id, agency_id)


def _kept(handler: AnyHandler, opened: Opened) -> Iterator[Shelved]:
    """Yield what of a fresh event goes on the shelf: what is sealed, and what later agencies may be named for."""
    for sealed, part in opened.sections:
        if part is None:
            yield sealed
        elif handler.for_later_agencies:
            yield replace(sealed, agencies=part.agencies)
