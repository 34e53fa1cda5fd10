"""Queries on what other agencies' events told each office: referrals as far as they were opened, and confirmations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, insert, select, update

from services.review.basis import Confirmation
from services.review.domain import Review
from services.review.models import CONFIRMATIONS, OPENED
from services.review.opened import Opened
from services.review.stored import (
    charges_from_json,
    charges_to_json,
    facts_from_json,
    facts_to_json,
    screening_from_json,
    screening_to_json,
)

_PLAIN = (
    "referral_id",
    "office_id",
    "subject_id",
    "source_agency_id",
    "version",
    "facts_version",
    "screening_version",
    "charges_version",
    "is_withdrawn",
)


def opened(connection: Connection, referral_id: str, office_id: str) -> Opened | None:
    """Return what an office knows of a referral, locked for the rest of the transaction."""
    here = and_(OPENED.c.referral_id == referral_id, OPENED.c.office_id == office_id)
    query = select(OPENED).where(here).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Opened(
        **{name: row[name] for name in _PLAIN},
        facts=facts_from_json(row["facts"]),
        screening=screening_from_json(row["screening"]),
        charges=charges_from_json(row["charges"]),
    )


def put_opened(connection: Connection, known: Opened) -> None:
    """Store what an office knows of a referral in place of what it knew."""
    values = {
        **{name: getattr(known, name) for name in _PLAIN},
        "facts": facts_to_json(known.facts),
        "screening": screening_to_json(known.screening),
        "charges": charges_to_json(known.charges),
    }
    _put(connection, OPENED, ("referral_id", "office_id"), values)


def confirmations(connection: Connection, reviews: Collection[Review]) -> Mapping[str, Confirmation]:
    """Return, by review id, the newest confirmation that was opened for the review's own office."""
    table = CONFIRMATIONS.c
    subjects, offices = ({getattr(each, name) for each in reviews} for name in ("subject_id", "office_id"))
    query = (
        select(CONFIRMATIONS)
        .where(table.subject_id.in_(subjects), table.office_id.in_(offices))
        .order_by(table.working_as_of, table.agency_id)
    )
    rows = connection.execute(query).mappings()
    newest = {(row["subject_id"], row["office_id"]): Confirmation(**row) for row in rows}
    keys = {review.id: (review.subject_id, review.office_id) for review in reviews}
    return {review_id: newest[key] for review_id, key in keys.items() if key in newest}


def put_confirmation(connection: Connection, news: Confirmation) -> bool:
    """Store a confirmation unless a newer one stands (EV-16); returns whether it was stored."""
    key = ("subject_id", "office_id", "agency_id")
    same = and_(*(CONFIRMATIONS.c[name] == getattr(news, name) for name in key))
    version = connection.execute(select(CONFIRMATIONS.c.version).where(same).with_for_update()).scalar()
    if version is not None and version > news.version:
        return False
    _put(connection, CONFIRMATIONS, key, {name: getattr(news, name) for name in Confirmation.__dataclass_fields__})
    return True


def _put(connection: Connection, table: Table, key: tuple[str, ...], values: dict[str, Any]) -> None:
    same = and_(*(table.c[name] == values[name] for name in key))
    if not connection.execute(update(table).where(same).values(values)).rowcount:
        connection.execute(insert(table).values(values))
