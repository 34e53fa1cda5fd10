"""Queries on service referrals and their answers: a connection in, domain objects out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, or_, select, update

from services.provider import scope
from services.provider.domain.answer import Answer
from services.provider.domain.records import ChangedMeanwhileError, Spell
from services.provider.domain.request import Request
from services.provider.models import ANSWERS, SERVICE_REFERRALS, TOLD_PARTS
from services.provider.sealed import from_text, time_of, to_text
from services.shared.sharing.assertion import Caller

_REQUEST = ("id", "subject_id", "agency_id", "provider_agency_id", "participant_id", "version", "changed_at")
_REQUEST_SEALED = ("provider_kind", "service_id", "site_id", "state", "decline_reason")
_ANSWER = ("referral_id", "agency_id", "version", "changed_at")
_ANSWER_SEALED = ("state", "decline_reason", "enrollment_id")


def find(
    connection: Connection, referral_id: str, caller: Caller, granted: Collection[str]
) -> tuple[Request, Answer] | None:
    """Return a service referral that the caller may be shown, both sides."""
    which = and_(SERVICE_REFERRALS.c.id == referral_id, scope.referrals(connection, caller, granted))
    found = _found(connection, which)
    return found[0] if found else None


def addressed(
    connection: Connection, referral_ids: Collection[str], caller: Caller, granted: Collection[str]
) -> Mapping[str, tuple[Request, Answer]]:
    """Return those of these service referrals that the caller's agency may answer, by id."""
    named = scope.among(connection, SERVICE_REFERRALS.c.id, referral_ids)
    found = _found(connection, and_(named, scope.referrals(connection, caller, granted)))
    return {request.id: (request, answer) for request, answer in found}


def answered(
    connection: Connection, referral_ids: Collection[str], agency_id: str
) -> Mapping[str, tuple[Request, Answer]]:
    """Return those of these service referrals that the agency was asked by, whatever it may still see, by id."""
    which = and_(
        scope.among(connection, SERVICE_REFERRALS.c.id, referral_ids),
        SERVICE_REFERRALS.c.provider_agency_id == agency_id,
    )
    return {request.id: (request, answer) for request, answer in _found(connection, which)}


def subjects_of(connection: Connection, participant_ids: Collection[str], agency_id: str) -> Mapping[str, str]:
    """Return the subjects of those of these participants whom the agency was ever asked for, by participant."""
    table = SERVICE_REFERRALS.c
    which = and_(scope.among(connection, table.participant_id, participant_ids), table.provider_agency_id == agency_id)
    query = select(table.participant_id, table.subject_id).where(which).order_by(table.id.desc())
    # The first question's subject, should there ever be two.
    return {row.participant_id: row.subject_id for row in connection.execute(query)}


def again(connection: Connection, referral_id: str) -> Request | None:
    """Return the asking side as it stands, locked for the rest of the transaction."""
    query = select(SERVICE_REFERRALS).where(SERVICE_REFERRALS.c.id == referral_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _request(row, "content")


def page(
    connection: Connection,
    caller: Caller,
    granted: Collection[str],
    *,
    changed_after: datetime | None,
    participant_id: str,
    after: str,
    limit: int,
) -> list[tuple[Request, Answer]]:
    """Return at most `limit` service referrals behind an id; only those of which anything has changed after a time.

    Whether the caller may see that change is the gateway's to find out.
    """
    which = [scope.referrals(connection, caller, granted), SERVICE_REFERRALS.c.id > after]
    if participant_id:
        which.append(SERVICE_REFERRALS.c.participant_id == participant_id)
    if changed_after is not None:
        which.append(_changed_after(changed_after))
    return _found(connection, and_(*which), limit)


def add(connection: Connection, request: Request, answer: Answer) -> None:
    """Store a new service referral with its answer, which says nothing yet."""
    connection.execute(insert(SERVICE_REFERRALS).values(_request_row(request)))
    connection.execute(insert(ANSWERS).values(_answer_row(answer)))


def save_request(connection: Connection, before: Request, after: Request) -> None:
    """Store a move of who asked. Raises ChangedMeanwhileError; what the provider does meanwhile is no such change."""
    table = SERVICE_REFERRALS
    same = and_(table.c.id == before.id, table.c.version == before.version)
    if not connection.execute(update(table).where(same).values(_request_row(after))).rowcount:
        raise ChangedMeanwhileError


def save_answer(connection: Connection, before: Answer, after: Answer) -> None:
    """Store a move of the provider. Raises ChangedMeanwhileError; what who asked does meanwhile is no such change."""
    same = and_(ANSWERS.c.referral_id == before.referral_id, ANSWERS.c.version == before.version)
    if not connection.execute(update(ANSWERS).where(same).values(_answer_row(after))).rowcount:
        raise ChangedMeanwhileError


def _changed_after(moment: datetime) -> ColumnElement[bool]:
    referral, told = SERVICE_REFERRALS.c, TOLD_PARTS.c
    told_since = exists().where(
        told.subject_id == referral.subject_id,
        told.agency_id == referral.provider_agency_id,
        told.source_agency_id == referral.agency_id,
        told.changed_at > moment,
    )
    return or_(referral.changed_at > moment, ANSWERS.c.changed_at > moment, told_since)


def _found(
    connection: Connection, which: ColumnElement[bool], limit: int | None = None
) -> list[tuple[Request, Answer]]:
    answer = [ANSWERS.c[name].label(f"answer_{name}") for name in (*_ANSWER, "content")]
    query = (
        select(*SERVICE_REFERRALS.c, *answer)
        .join(ANSWERS, ANSWERS.c.referral_id == SERVICE_REFERRALS.c.id)
        .where(which)
        .order_by(SERVICE_REFERRALS.c.id)
        .limit(limit)
    )
    return [(_request(row, "content"), _answer(row)) for row in connection.execute(query).mappings()]


def _request_row(request: Request) -> dict[str, Any]:
    content = {name: getattr(request, name) for name in _REQUEST_SEALED}
    content |= {
        "needs": list(request.needs),
        "requested_at": request.requested_at,
        "spells": _spells_to_json(request.spells),
    }
    return {**{name: getattr(request, name) for name in _REQUEST}, "content": to_text(content)}


def _request(row: Mapping[Any, Any], column: str) -> Request:
    content = from_text(row[column])
    return Request(
        **{name: row[name] for name in _REQUEST},
        **{name: content[name] for name in _REQUEST_SEALED},
        needs=tuple(content["needs"]),
        requested_at=datetime.fromisoformat(content["requested_at"]),
        spells=_spells_from_json(content["spells"]),
    )


def _answer_row(answer: Answer) -> dict[str, Any]:
    content = {name: getattr(answer, name) for name in _ANSWER_SEALED}
    content |= {"hold_until": answer.hold_until, "spells": _spells_to_json(answer.spells)}
    return {**{name: getattr(answer, name) for name in _ANSWER}, "content": to_text(content)}


def _answer(row: Mapping[Any, Any]) -> Answer:
    content = from_text(row["answer_content"])
    return Answer(
        **{name: row[f"answer_{name}"] for name in _ANSWER},
        **{name: content[name] for name in _ANSWER_SEALED},
        hold_until=time_of(content["hold_until"]),
        spells=_spells_from_json(content["spells"]),
    )


def _spells_to_json(spells: tuple[Spell, ...]) -> list[list[Any]]:
    return [[each.state, each.since, each.until] for each in spells]


def _spells_from_json(rows: list[list[str]]) -> tuple[Spell, ...]:
    return tuple(
        Spell(state=state, since=datetime.fromisoformat(since), until=time_of(until)) for state, since, until in rows
    )
