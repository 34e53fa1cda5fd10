"""The effect of one opened event: the handler, in a savepoint, with the parts that are new; the rest to the shelf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from lead.envelope.v1.envelope_pb2 import Routing
from sqlalchemy import Connection

from services.shared.events import applied, cloudevents, shelf
from services.shared.events.applied import Slot
from services.shared.events.delivery import AnyHandler, Delivery, OpenedPart
from services.shared.events.incoming import Opened
from services.shared.events.shelf import Shelved
from services.shared.events.tables import ConsumerTables
from services.shared.telemetry import trace


class Effects:
    """Applies events by their handlers, in whatever transaction it is given."""

    def __init__(self, tables: ConsumerTables, handlers: Mapping[str, AnyHandler]) -> None:
        """`handlers` by event name; a name that is not there is skipped: a newer producer says more than we know."""
        self._tables, self._handlers = tables, handlers

    def apply(self, connection: Connection, opened: Opened, now: datetime, *, late: bool) -> None:
        """Call the handler with what is new, and leave on the shelf what has to stay there.

        Raises what the handler raises, with its effect taken back.
        """
        handler = self._handler(opened)
        if handler is not None:
            with connection.begin_nested():
                self._call(connection, handler, opened, late=late)
        if late:
            self._tidy(connection, handler, opened)
        elif handler is not None:
            keep = list(_kept(handler, opened))
            shelf.shelve(connection, self._tables.shelf, keep, now)

    def _handler(self, opened: Opened) -> AnyHandler | None:
        handler = self._handlers.get(opened.routing.event_name)
        topic = opened.incoming.envelope.topic
        # Two areas may use one name; the package says whose event it is.
        if handler is None or handler.full_name != f"lead.{topic}.v1.{opened.routing.event_name}":
            return None
        return handler

    def _call(self, connection: Connection, handler: AnyHandler, opened: Opened, *, late: bool) -> None:
        parts = tuple(self._new_parts(connection, handler, opened))
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

    def _new_parts(self, connection: Connection, handler: AnyHandler, opened: Opened) -> Iterator[OpenedPart]:
        """Yield each part for the agencies that have neither it nor a newer version."""
        for sealed, part in opened.sections:
            if part is None:
                continue
            fresh = {
                agency
                for agency in part.agencies - sealed.agencies
                if applied.advance(
                    connection,
                    self._tables.applied,
                    _slot(handler, opened.routing, part, agency),
                    opened.routing.version,
                )
            }
            if fresh:
                yield replace(part, agencies=frozenset(fresh))

    def _tidy(self, connection: Connection, handler: AnyHandler | None, opened: Opened) -> None:
        """After a late delivery: off the shelf with what was opened, unless other agencies may come."""
        keeps = handler is not None and handler.for_later_agencies
        for sealed, part in opened.sections:
            if part is not None and keeps:
                shelf.note_opened(connection, self._tables.shelf, sealed.place, sealed.agencies | part.agencies)
        if not keeps:
            done = [sealed.place for sealed, part in opened.sections if part is not None]
            shelf.take(connection, self._tables.shelf, done)


def _slot(handler: AnyHandler, routing: Routing, part: OpenedPart, agency_id: str) -> Slot:
    return Slot(handler.versions_of, routing.record_id, routing.subject_id, part.category, part.record_id, agency_id)


def _kept(handler: AnyHandler, opened: Opened) -> Iterator[Shelved]:
    """Yield what of a fresh event goes on the shelf: what is sealed, and what later agencies may be named for."""
    for sealed, part in opened.sections:
        if part is None:
            yield sealed
        elif handler.for_later_agencies:
            yield replace(sealed, agencies=part.agencies)
