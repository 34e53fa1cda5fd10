"""Queries on hand-offs and participants: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, literal, select, true, tuple_, update

from services.casework.convert import handoff_changed
from services.casework.domain import Handoff, Told, stale
from services.casework.models import HANDOFFS, REQUEST_PARTS
from services.casework.paging import Place
from services.shared.events.delivery import Delivery
from services.shared.sharing.assertion import Caller

# A part whose hand-off was never opened waits for it no longer than a site may look for a person (matrix row 9).
_ORPHAN_KEPT = timedelta(days=90)
_OF_REQUEST = ("site_id", "called_at", "window_ends_at", "intake_due_at")
_OWN = ("state", "accepted_at", "arrived_at", "ended_at", "fail_reason", "participant_id", "version")
_FOR_EVER = ("subject_id", "source_agency_id", "agency_id")
_WHOLE = ("id", *_FOR_EVER, "requested_at", *_OF_REQUEST, *_OWN)
Times = Mapping[str, datetime]


def find(connection: Connection, handoff_id: str, caller: Caller) -> Handoff | None:
    """Return a hand-off that the caller's agency was dispatched to."""
    return _one(connection, and_(HANDOFFS.c.id == handoff_id, HANDOFFS.c.agency_id == caller.agency_id))


def page(connection: Connection, caller: Caller, state: str, after: Place | None, limit: int) -> list[Handoff]:
    """Return at most `limit` hand-offs of the caller's agency behind a place: open ones first, by time of request."""
    table = HANDOFFS.c
    query = select(HANDOFFS).where(table.agency_id == caller.agency_id, table.state == state if state else true())
    if after is not None:
        query = query.where(tuple_(table.is_over, table.requested_at, table.id) > tuple_(*_place(after)))
    query = query.order_by(table.is_over, table.requested_at, table.id).limit(limit)
    return [_handoff(row) for row in connection.execute(query).mappings()]


def requests(connection: Connection, handoffs: Sequence[Handoff]) -> Mapping[str, Told]:
    """Return what was opened of the callers' requests for the dispatched agencies, by hand-off."""
    facts: dict[str, dict[str, Any]] = defaultdict(dict)
    changes: dict[str, dict[str, datetime]] = defaultdict(dict)
    agencies = {each.id: each.agency_id for each in handoffs}
    query = select(REQUEST_PARTS).where(REQUEST_PARTS.c.handoff_id.in_(list(agencies)))
    for row in connection.execute(query).mappings():
        if agencies[row["handoff_id"]] == row["agency_id"]:
            facts[row["handoff_id"]].update(row["content"])
            changes[row["handoff_id"]][row["category"]] = row["changed_at"] or row["received_at"]
    return {each: Told(facts=facts[each], changes=changes[each]) for each in facts}


def dispatched_agency(connection: Connection, handoff_id: str) -> str | None:
    """Return the agency that a hand-off was dispatched to, None while that was not told."""
    return connection.execute(select(HANDOFFS.c.agency_id).where(HANDOFFS.c.id == handoff_id)).scalar()


def save(connection: Connection, before: Handoff, after: Handoff) -> None:
    """Store the agency's own move; the request beside it stays. Raises ABORTED when another call was quicker."""
    same = and_(HANDOFFS.c.id == before.id, HANDOFFS.c.version == before.version)
    values = {**{name: getattr(after, name) for name in _OWN}, **_derived(after)}
    if not connection.execute(update(HANDOFFS).where(same).values(values)).rowcount:
        raise stale()


def put_requested(connection: Connection, requested: Handoff, version: int) -> None:
    """Store a hand-off that was asked for, or the newer version of its request; an older one changes nothing.

    A request keeps its person, its caller and its agency for ever: one that names others is no correction of it.
    """
    known = _one(connection, HANDOFFS.c.id == requested.id)
    if known is None:
        requested = handoff_changed(None, requested, requested.requested_at)
        values = {name: getattr(requested, name) for name in _WHOLE}
        connection.execute(insert(HANDOFFS).values({**values, **_derived(requested), "request_version": version}))
        return
    if any(getattr(known, name) != getattr(requested, name) for name in _FOR_EVER):
        return
    changes = {name: getattr(requested, name) for name in _OF_REQUEST}
    # The minutes since the call are the agency's own record.
    corrected = handoff_changed(known, replace(known, **changes), requested.requested_at)
    newer = and_(HANDOFFS.c.id == known.id, HANDOFFS.c.request_version < version)
    values = {**changes, **_derived(corrected), "request_version": version}
    connection.execute(update(HANDOFFS).where(newer).values(values))


def put_part(
    connection: Connection, delivery: Delivery[Any], agency_id: str, category: str, content: Mapping[str, Any]
) -> None:
    """Store one category of a request, opened for this agency, unless a newer version of it stands (EV-16)."""
    table = REQUEST_PARTS
    key = {"handoff_id": delivery.record_id, "agency_id": agency_id, "category": category}
    same = and_(*(table.c[name] == value for name, value in key.items()))
    values = {"version": delivery.version, "content": dict(content), "received_at": delivery.time}
    known = connection.execute(select(table).where(same)).mappings().first()
    if known is None:
        connection.execute(insert(table).values(key | values | {"changed_at": delivery.time}))
        return
    if known["content"] != values["content"]:
        values["changed_at"] = delivery.time
    connection.execute(update(table).where(same, table.c.version < delivery.version).values(values))


def forget_requests(connection: Connection, now: datetime) -> int:
    """Delete requests whose window has closed (matrix row 9); returns how many parts."""
    parts, handoffs = REQUEST_PARTS.c, HANDOFFS.c
    closed = exists().where(handoffs.id == parts.handoff_id, handoffs.closes_at <= now)
    orphan = and_(parts.received_at <= now - _ORPHAN_KEPT, ~exists().where(handoffs.id == parts.handoff_id))
    return connection.execute(delete(REQUEST_PARTS).where(closed | orphan)).rowcount


def _place(after: Place) -> list[Any]:
    columns = (HANDOFFS.c.is_over, HANDOFFS.c.requested_at, HANDOFFS.c.id)
    return [literal(value, column.type) for value, column in zip(after, columns, strict=True)]


def _one(connection: Connection, which: ColumnElement[bool]) -> Handoff | None:
    row = connection.execute(select(HANDOFFS).where(which)).mappings().one_or_none()
    return None if row is None else _handoff(row)


def _handoff(row: Mapping[Any, Any]) -> Handoff:
    return Handoff(**{name: row[name] for name in _WHOLE}, changes=times_from_row(row["changes"]))


def _derived(handoff: Handoff) -> dict[str, Any]:
    changes = times_to_row(handoff.changes)
    return {"is_over": not handoff.is_open, "closes_at": handoff.closes_at, "changes": changes}


def times_to_row(times: Times) -> dict[str, str]:
    """Return times by category word as they are stored."""
    return {word: time.astimezone(UTC).isoformat() for word, time in times.items()}


def times_from_row(stored: Mapping[str, str]) -> Times:
    """Return times by category word."""
    return {word: datetime.fromisoformat(text) for word, text in stored.items()}
