"""Queries on participants and their subject links: a connection in, domain objects out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, and_, cast, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from services.casework.domain import Contact, Participant, Person, stale
from services.casework.models import LINKS, PARTICIPANTS
from services.casework.paging import Place
from services.casework.store import times_from_row, times_to_row
from services.shared.sharing.assertion import Caller

_PLAIN = (
    *("id", "subject_id", "agency_id", "state", "joined_at", "intake_due_at", "intake_confirmed_at"),
    *("working_as_of", "case_manager", "version"),
)


def find(
    connection: Connection, participant_id: str, caller: Caller, granted: Collection[str] = ()
) -> Participant | None:
    """Return a participant that the caller may be shown; without grants, one of his own caseload, or himself."""
    which = and_(PARTICIPANTS.c.id == participant_id, _visible(connection, caller, granted))
    row = connection.execute(select(PARTICIPANTS).where(which)).mappings().one_or_none()
    return None if row is None else _participant(row)


def by_id(connection: Connection, participant_id: str) -> Participant | None:
    """Return a participant, for the area's own use."""
    row = connection.execute(select(PARTICIPANTS).where(PARTICIPANTS.c.id == participant_id)).mappings().one_or_none()
    return None if row is None else _participant(row)


def page(
    connection: Connection, caller: Caller, granted: Collection[str], after: Place | None, limit: int
) -> list[Participant]:
    """Return at most `limit` participants behind a place, by time of change."""
    table = PARTICIPANTS.c
    query = select(PARTICIPANTS).where(_visible(connection, caller, granted))
    if after is not None:
        time, row_id = literal(after[1], table.updated_at.type), literal(after[2], table.id.type)
        query = query.where(tuple_(table.updated_at, table.id) > tuple_(time, row_id))
    query = query.order_by(table.updated_at, table.id).limit(limit)
    return [_participant(row) for row in connection.execute(query).mappings()]


def linked(connection: Connection, subject_id: str, agency_id: str) -> Participant | None:
    """Return the agency's participant that this subject is linked to."""
    table = LINKS.c
    query = (
        select(PARTICIPANTS)
        .join(LINKS, table.participant_id == PARTICIPANTS.c.id)
        .where(table.subject_id == subject_id, table.agency_id == agency_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _participant(row)


def subjects_of(connection: Connection, participant_id: str) -> tuple[str, ...]:
    """Return the subjects linked to a participant, in order of their ids."""
    query = select(LINKS.c.subject_id).where(LINKS.c.participant_id == participant_id)
    return tuple(sorted(connection.execute(query).scalars()))


def save(connection: Connection, before: Participant | None, after: Participant, now: datetime) -> None:
    """Store a participant; before is None for a new one. Raises ABORTED when another call was quicker."""
    values = _row(after, now)
    if before is None:
        connection.execute(insert(PARTICIPANTS).values(values))
        return
    same = and_(PARTICIPANTS.c.id == before.id, PARTICIPANTS.c.version == before.version)
    if not connection.execute(update(PARTICIPANTS).where(same).values(values)).rowcount:
        raise stale()


def link(
    connection: Connection,
    subject_id: str,
    participant: Participant,
    account_id: str,
    now: datetime,
    match_id: str = "",
) -> None:
    """Link a subject that isn't linked yet. Raises ABORTED when another call was quicker."""
    try:
        connection.execute(
            insert(LINKS).values(
                subject_id=subject_id,
                agency_id=participant.agency_id,
                participant_id=participant.id,
                confirmed_by=account_id,
                confirmed_at=now,
                match_id=match_id,
            )
        )
    except IntegrityError:
        # The driver's text holds the key, so nothing of it goes on.
        raise stale() from None


def _visible(connection: Connection, caller: Caller, granted: Collection[str]) -> ColumnElement[bool]:
    """Return the row scope: himself; the own caseload, and whom a release named to the agency.

    Consent says which subjects ever named it, and the gateway decides what of them still holds.
    """
    if caller.role == "participant":
        return PARTICIPANTS.c.id == caller.participant_id
    own = PARTICIPANTS.c.agency_id == caller.agency_id
    if not granted:
        return own
    named = select(LINKS.c.participant_id).where(_among(connection, LINKS.c.subject_id, granted))
    return or_(own, PARTICIPANTS.c.id.in_(named))


def _among(connection: Connection, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Return that a column's value is one of these, however many: they travel as one parameter."""
    texts = literal(json.dumps(sorted(values)))
    if connection.dialect.name == "postgresql":
        listed = func.json_array_elements_text(cast(texts, JSON)).column_valued("listed")
        return column.in_(select(listed))
    return column.in_(select(func.json_each(texts).table_valued("value").c.value))


def _row(participant: Participant, now: datetime) -> dict[str, Any]:
    person, contact = participant.person, participant.contact
    return {
        **{name: getattr(participant, name) for name in _PLAIN},
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birth_date": person.birth_date,
        "phones": list(contact.phones),
        "address": contact.address,
        "where_found": contact.where_found,
        "safety_flag": "1" if participant.safety_flag else "0",
        "needs": list(participant.needs),
        "updated_at": now,
        "changes": times_to_row(participant.changes),
    }


def _participant(row: Mapping[Any, Any]) -> Participant:
    return Participant(
        **{name: row[name] for name in _PLAIN},
        person=Person(**{name: row[name] for name in ("given_name", "family_name", "birth_date")}),
        contact=Contact(phones=tuple(row["phones"]), address=row["address"], where_found=row["where_found"]),
        safety_flag=row["safety_flag"] == "1",
        needs=tuple(row["needs"]),
        updated_at=row["updated_at"],
        changes=times_from_row(row["changes"]),
    )
