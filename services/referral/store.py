"""Queries on referrals and on what others said about them: a connection in, domain objects out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from services.referral.domain import ChargeDecision, Confirmation, Referral
from services.referral.models import CHARGE_DECISIONS, CONFIRMATIONS, REFERRAL_OFFICES, REFERRALS
from services.referral.scope import visible
from services.referral.stored import from_json, to_json
from services.shared.sharing.assertion import Caller


class ChangedMeanwhileError(Exception):
    """Another call was quicker: the record is not what the change was worked out from. Work it out again."""


def find(connection: Connection, referral_id: str, caller: Caller, granted: Collection[str]) -> Referral | None:
    """Return a referral that the caller may be shown."""
    query = select(REFERRALS).where(REFERRALS.c.id == referral_id, visible(connection, caller, granted))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _referral(row)


def by_id(connection: Connection, referral_id: str) -> Referral | None:
    """Return a referral, whoever asks: for what the caller just made himself."""
    row = connection.execute(select(REFERRALS).where(REFERRALS.c.id == referral_id)).mappings().one_or_none()
    return None if row is None else _referral(row)


def page(
    connection: Connection,
    caller: Caller,
    granted: Collection[str],
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Referral]:
    """Return at most `limit` referrals behind a (time of change, id), in that order."""
    query = select(REFERRALS).where(visible(connection, caller, granted))
    if after is not None:
        query = query.where(_behind(*after))
    query = query.order_by(REFERRALS.c.updated_at, REFERRALS.c.id).limit(limit)
    return [_referral(row) for row in connection.execute(query).mappings()]


def by_natural_keys(
    connection: Connection, agency_id: str, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Referral]:
    """Return the agency's referrals by (source system, record id), as far as there are any."""
    key = tuple_(REFERRALS.c.system, REFERRALS.c.record_id)
    query = select(REFERRALS).where(REFERRALS.c.agency_id == agency_id, key.in_(list(keys)))
    return {(row["system"], row["record_id"]): _referral(row) for row in connection.execute(query).mappings()}


def save(connection: Connection, changes: Sequence[tuple[Referral | None, Referral]], now: datetime) -> None:
    """Store referrals as (before, after); before is None for new ones.

    Raises ChangedMeanwhileError when one of them is not what it was before.
    """
    _insert(connection, [after for before, after in changes if before is None], now)
    for before, after in changes:
        if before is not None:
            _update(connection, before, after, now)


def decisions(connection: Connection, referral_ids: Iterable[str]) -> Mapping[str, ChargeDecision]:
    """Return what is known of decisions, by charge id."""
    query = select(CHARGE_DECISIONS).where(CHARGE_DECISIONS.c.referral_id.in_(list(referral_ids)))
    return {row["charge_id"]: ChargeDecision(**row) for row in connection.execute(query).mappings()}


def confirmations(connection: Connection, subject_ids: Iterable[str]) -> Mapping[str, Confirmation]:
    """Return the newest confirmation of each subject that has one."""
    query = (
        select(CONFIRMATIONS)
        .where(CONFIRMATIONS.c.subject_id.in_(list(subject_ids)))
        .order_by(CONFIRMATIONS.c.working_as_of, CONFIRMATIONS.c.agency_id)
    )
    return {row["subject_id"]: Confirmation(**row) for row in connection.execute(query).mappings()}


def put_decision(connection: Connection, decision: ChargeDecision) -> bool:
    """Store a decision unless a newer one stands (EV-16); returns whether anything changed."""
    return _put_newer(connection, CHARGE_DECISIONS, ("charge_id",), _values(decision))


def put_confirmation(connection: Connection, confirmation: Confirmation) -> bool:
    """Store a confirmation unless a newer one stands (EV-16); returns whether anything changed."""
    return _put_newer(connection, CONFIRMATIONS, ("subject_id", "agency_id"), _values(confirmation))


def _put_newer(connection: Connection, table: Any, key: tuple[str, ...], values: dict[str, Any]) -> bool:
    same = and_(*(table.c[name] == values[name] for name in key))
    if connection.execute(update(table).where(same, table.c.version < values["version"]).values(values)).rowcount:
        return True
    if connection.execute(select(table.c.version).where(same)).first() is not None:
        return False
    connection.execute(insert(table).values(values))
    return True


def _values(record: ChargeDecision | Confirmation) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _behind(moment: datetime, referral_id: str) -> ColumnElement[bool]:
    same_time = and_(REFERRALS.c.updated_at == moment, REFERRALS.c.id > referral_id)
    return or_(REFERRALS.c.updated_at > moment, same_time)


def _insert(connection: Connection, referrals: Sequence[Referral], now: datetime) -> None:
    if not referrals:
        return
    try:
        connection.execute(insert(REFERRALS), [_row(each, now) for each in referrals])
    except IntegrityError:
        # The natural key came in by another call. The driver's text holds it, so nothing of it goes on.
        raise ChangedMeanwhileError from None
    _put_offices(connection, referrals)


def _update(connection: Connection, before: Referral, after: Referral, now: datetime) -> None:
    table = REFERRALS
    same = and_(table.c.id == before.id, table.c.version == before.version)
    if not connection.execute(update(table).where(same).values(_row(after, now))).rowcount:
        raise ChangedMeanwhileError
    if before.offices != after.offices:
        connection.execute(delete(REFERRAL_OFFICES).where(REFERRAL_OFFICES.c.referral_id == before.id))
        _put_offices(connection, [after])


def _put_offices(connection: Connection, referrals: Iterable[Referral]) -> None:
    rows = [{"referral_id": each.id, "office_id": office} for each in referrals for office in sorted(each.offices)]
    if rows:
        connection.execute(insert(REFERRAL_OFFICES), rows)


# Of the category OFFICER_NARRATIVE, so they lie in the sealed column: what the officer said, the reasons, which quote
# it, and the rules that were met, which tell what a history check did not find.
_SEALED = (("draft", "narrative"), ("screening", "reasons"), ("screening", "passed"))
_COLUMNS = ("id", "subject_id", "agency_id", "version")


def _row(referral: Referral, now: datetime) -> dict[str, Any]:
    content = to_json(referral)
    sealed = {name: content[part].pop(name) for part, name in _SEALED if name in content[part]}
    for name in (*_COLUMNS, "updated_at"):
        content.pop(name, None)
    source = referral.draft.source
    return {
        **{name: getattr(referral, name) for name in _COLUMNS},
        "site_id": referral.draft.site_id,
        "system": source.system,
        "record_id": source.record_id,
        "content": content,
        "narrative": json.dumps(sealed, separators=(",", ":")),
        "updated_at": now,
    }


def _referral(row: Mapping[Any, Any]) -> Referral:
    # The row's content was parsed for this row alone, so it may be filled up in place.
    content, sealed = row["content"], json.loads(row["narrative"])
    for part, name in _SEALED:
        if name in sealed:
            content[part][name] = sealed[name]
    content.update({name: row[name] for name in _COLUMNS}, updated_at=row["updated_at"].isoformat())
    return from_json(Referral, content)
