"""Queries on referrals: a connection in, domain objects out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from services.referral.changed import moved
from services.referral.domain import Referral
from services.referral.models import REFERRAL_OFFICES, REFERRALS
from services.referral.scope import listed, visible
from services.referral.stored import from_json, to_json
from services.shared.changes import Changes
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
    after_id: str,
    changed_after: datetime | None,
    limit: int,
) -> list[Referral]:
    """Return at most `limit` referrals behind an id, in order of ids.

    With `changed_after` only those that changed later, they or another agency's record beside them. Order and places
    tell nothing of changes: what of them the caller may know is not decided here.
    """
    query, ids = listed(select(REFERRALS), connection, caller, granted)
    query = query.where(ids > after_id)
    if changed_after is not None:
        query = query.where(or_(REFERRALS.c.updated_at > changed_after, REFERRALS.c.beside_at > changed_after))
    query = query.order_by(ids).limit(limit)
    return [_referral(row) for row in connection.execute(query).mappings()]


def by_natural_keys(
    connection: Connection, agency_id: str, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Referral]:
    """Return the agency's referrals by (source system, record id), as far as there are any."""
    found: dict[tuple[str, str], Referral] = {}
    # System by system: SQLite looks for a list of pairs in all that the agency has.
    for system in sorted({system for system, _ in keys}):
        record_ids = [record_id for each, record_id in keys if each == system]
        of_system = (REFERRALS.c.agency_id == agency_id, REFERRALS.c.system == system)
        query = select(REFERRALS).where(*of_system, REFERRALS.c.record_id.in_(record_ids))
        found.update({(system, row["record_id"]): _referral(row) for row in connection.execute(query).mappings()})
    return found


def save(connection: Connection, changes: Sequence[tuple[Referral | None, Referral]], now: datetime) -> None:
    """Store referrals as (before, after); before is None for new ones.

    Raises ChangedMeanwhileError when one of them is not what it was before.
    """
    _insert(connection, [after for before, after in changes if before is None], now)
    for before, after in changes:
        if before is not None:
            _update(connection, before, after, now)


def changes(connection: Connection, referral_ids: Iterable[str]) -> Mapping[str, Changes]:
    """Return when what each referral says of each category changed last, by id."""
    table = REFERRALS.c
    query = select(table.id, table.changes, table.version, table.updated_at).where(table.id.in_(list(referral_ids)))
    return {row.id: Changes.from_json(row.changes, row.version, row.updated_at) for row in connection.execute(query)}


def _insert(connection: Connection, referrals: Sequence[Referral], now: datetime) -> None:
    if not referrals:
        return
    try:
        connection.execute(insert(REFERRALS), [_row(each, now, Changes(now)) for each in referrals])
    except IntegrityError:
        # The natural key came in by another call. The driver's text holds it, so nothing of it goes on.
        raise ChangedMeanwhileError from None
    _put_offices(connection, referrals)


def _update(connection: Connection, before: Referral, after: Referral, now: datetime) -> None:
    table = REFERRALS
    known = changes(connection, [before.id]).get(before.id, Changes(now))
    row = _row(after, now, moved(known, before, after, now))
    same = and_(table.c.id == before.id, table.c.version == before.version)
    if not connection.execute(update(table).where(same).values(row)).rowcount:
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


def _row(referral: Referral, now: datetime, changed: Changes) -> dict[str, Any]:
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
        "changes": changed.to_json(referral.version),
    }


def _referral(row: Mapping[Any, Any]) -> Referral:
    # The row's content was parsed for this row alone, so it may be filled up in place.
    content, sealed = row["content"], json.loads(row["narrative"])
    for part, name in _SEALED:
        if name in sealed:
            content[part][name] = sealed[name]
    content.update({name: row[name] for name in _COLUMNS}, updated_at=row["updated_at"].isoformat())
    return from_json(Referral, content)
