"""Queries on what casework told of participants, each provider its own: a connection in, opened facts out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from services.provider import scope
from services.provider.domain.request import Request
from services.provider.models import TOLD_PARTS
from services.provider.sealed import from_text, to_text
from services.shared.events.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Told:
    """One category of what casework told, as opened for one provider; `facts` are fields in proto3 JSON."""

    category: str
    facts: Mapping[str, Any]
    changed_at: datetime


def parts(connection: Connection, requests: Iterable[Request], agency_id: str) -> Mapping[str, list[Told]]:
    """Return, by service referral, what was opened for this agency of those that are addressed to it.

    What another agency than the asking one told is not for this referral.
    """
    mine = {each.id: each for each in requests if each.provider_agency_id == agency_id}
    table = TOLD_PARTS.c
    subjects = {each.subject_id for each in mine.values()}
    which = and_(table.agency_id == agency_id, scope.among(connection, table.subject_id, subjects))
    found: dict[tuple[str, str, str], list[Told]] = {}
    for row in connection.execute(select(TOLD_PARTS).where(which).order_by(table.category)).mappings():
        key = (row["subject_id"], row["source_agency_id"], row["participant_id"])
        found.setdefault(key, []).append(Told(row["category"], from_text(row["content"]), row["changed_at"]))
    keys = {each.id: (each.subject_id, each.agency_id, each.participant_id) for each in mine.values()}
    return {referral_id: found[key] for referral_id, key in keys.items() if key in found}


def put_part(
    connection: Connection,
    delivery: Delivery[Any],
    agency_id: str,
    category: str,
    content: Mapping[str, Any],
    now: datetime,
) -> None:
    """Store one category, opened for this agency, unless a newer version of it stands (EV-16).

    Its time of change moves only when it says something else than before: a version that changes one category must not
    show in another.
    """
    table = TOLD_PARTS
    key = {
        "subject_id": delivery.subject_id,
        "agency_id": agency_id,
        "source_agency_id": delivery.source_agency_id,
        "category": category,
    }
    same = and_(*(table.c[name] == value for name, value in key.items()))
    held = connection.execute(select(table).where(same).with_for_update()).mappings().one_or_none()
    values = {
        "participant_id": delivery.record_id,
        "version": delivery.version,
        "content": to_text(dict(content)),
        "changed_at": now,
    }
    if held is None:
        connection.execute(insert(table).values(key | values))
    elif held["version"] < delivery.version:
        if (held["participant_id"], from_text(held["content"])) == (delivery.record_id, dict(content)):
            values["changed_at"] = held["changed_at"]
        connection.execute(update(table).where(same).values(values))
