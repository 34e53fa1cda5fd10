"""Queries on matches: a connection in, domain objects out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, literal, or_, select, true, tuple_, update
from sqlalchemy.exc import IntegrityError

from services.casework.domain import stale
from services.casework.index.models import MATCHES
from services.casework.index.people import Match
from services.casework.index.tokens import Named
from services.casework.paging import Place
from services.shared.sharing.assertion import Caller

_PLAIN = (
    *("id", "known_id", "found_id", "known_subject_id", "found_subject_id", "known_agency_id", "found_agency_id"),
    *("use", "rule", "site_id", "state", "created_at", "decided_at", "decided_by", "version"),
)


def find(connection: Connection, match_id: str, caller: Caller) -> Match | None:
    """Return a match that was put to one of the caller's sites."""
    row = connection.execute(select(MATCHES).where(MATCHES.c.id == match_id, _own(caller))).mappings().one_or_none()
    return None if row is None else _match(row)


def page(connection: Connection, caller: Caller, state: str, after: Place | None, limit: int) -> list[Match]:
    """Return at most `limit` matches of the caller's sites behind a place: open ones first, by time and id."""
    table = MATCHES.c
    query = select(MATCHES).where(_own(caller), table.state == state if state else true())
    columns = (table.is_over, table.created_at, table.id)
    if after is not None:
        place = [literal(value, column.type) for value, column in zip(after, columns, strict=True)]
        query = query.where(tuple_(*columns) > tuple_(*place))
    return [_match(row) for row in connection.execute(query.order_by(*columns).limit(limit)).mappings()]


def about(connection: Connection, record_ids: Collection[str]) -> list[Match]:
    """Return all matches that any of these records is a side of, by id."""
    which = or_(MATCHES.c.known_id.in_(record_ids), MATCHES.c.found_id.in_(record_ids))
    return [_match(row) for row in connection.execute(select(MATCHES).where(which).order_by(MATCHES.c.id)).mappings()]


def add(connection: Connection, match: Match) -> None:
    """Store a match, unless the two records already have one by this rule."""
    same = and_(MATCHES.c.known_id == match.known_id, MATCHES.c.found_id == match.found_id)
    if connection.execute(select(MATCHES.c.id).where(same, MATCHES.c.rule == match.rule)).first() is not None:
        return
    # Raised meanwhile by another transaction, where the database lets two write at once: then it is there.
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(MATCHES).values(_row(match)))


def drop(connection: Connection, match_ids: Collection[str]) -> None:
    """Delete open matches that are no question any more, with the names in them."""
    connection.execute(delete(MATCHES).where(MATCHES.c.id.in_(match_ids), MATCHES.c.state == "OPEN"))


def put_to(connection: Connection, match_id: str, site_id: str) -> None:
    """Put an open match to a site."""
    still = and_(MATCHES.c.id == match_id, MATCHES.c.state == "OPEN")
    connection.execute(update(MATCHES).where(still).values(site_id=site_id))


def rename(connection: Connection, record_id: str, named: Named) -> None:
    """Write down how a record's source names the person, on its side of each open match."""
    sides = ((MATCHES.c.known_id, "known"), (MATCHES.c.found_id, "found"))
    for side, column in sides:
        still = and_(side == record_id, MATCHES.c.state == "OPEN")
        connection.execute(update(MATCHES).where(still).values({column: _sealed(named)}))


def save(connection: Connection, before: Match, after: Match) -> None:
    """Store a decision. Raises ABORTED when another call was quicker."""
    same = and_(MATCHES.c.id == before.id, MATCHES.c.version == before.version, MATCHES.c.state == before.state)
    if not connection.execute(update(MATCHES).where(same).values(_row(after))).rowcount:
        raise stale()


def _own(caller: Caller) -> Any:
    return MATCHES.c.site_id.in_([site for site in caller.site_ids if site])


def _row(match: Match) -> dict[str, Any]:
    return {
        **{name: getattr(match, name) for name in _PLAIN},
        "known": _sealed(match.known),
        "found": _sealed(match.found),
        "is_over": not match.is_open,
    }


def _match(row: Mapping[Any, Any]) -> Match:
    return Match(
        **{name: row[name] for name in _PLAIN},
        known=_opened(row["known"]),
        found=_opened(row["found"]),
    )


def _sealed(named: Named | None) -> str | None:
    return None if named is None or named.is_empty else json.dumps(asdict(named))


def _opened(text: str | None) -> Named | None:
    return None if text is None else Named(**json.loads(text))
