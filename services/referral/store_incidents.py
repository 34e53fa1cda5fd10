"""Queries on incident candidates: only ever those of one agency."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from services.referral.holding import Holding
from services.referral.incident import Incident
from services.referral.models import INCIDENT_CONTENTS, INCIDENTS
from services.referral.paging import Place
from services.referral.rms.candidate import NaturalKey
from services.referral.store import ChangedMeanwhileError
from services.referral.stored import from_json, to_json

# The parameters of one statement are bounded.
_MANY = 400
_COLUMNS = ("id", "agency_id", "ori", "report_category", "number", "sequence", "revision", "purge_at")
_SEALED = ("reasons", "passed")


def find(connection: Connection, incident_id: str, agency_id: str) -> Incident | None:
    """Return an incident of the agency."""
    query = select(INCIDENTS).where(INCIDENTS.c.id == incident_id, INCIDENTS.c.agency_id == agency_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _incident(row)


def page(connection: Connection, agency_id: str, after: Place | None, limit: int) -> list[Incident]:
    """Return at most `limit` incidents of the agency behind a (time of change, id), in that order."""
    table = INCIDENTS
    query = select(table).where(table.c.agency_id == agency_id)
    if after is not None:
        same_time = and_(table.c.updated_at == after[0], table.c.id > after[1])
        query = query.where(or_(table.c.updated_at > after[0], same_time))
    query = query.order_by(table.c.updated_at, table.c.id).limit(limit)
    return [_incident(row) for row in connection.execute(query).mappings()]


def of_reports(connection: Connection, agency_id: str, reports: Sequence[NaturalKey]) -> list[Incident]:
    """Return everybody in these reports, whose keys name no person."""
    table = INCIDENTS
    key = tuple_(table.c.ori, table.c.report_category, table.c.number)
    found: list[Incident] = []
    for some in _batches(reports):
        wanted = [(each.ori, each.report_category, each.number) for each in some]
        query = select(table).where(table.c.agency_id == agency_id, key.in_(wanted))
        found += [_incident(row) for row in connection.execute(query).mappings()]
    return found


def digests(connection: Connection, incident_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """Return the contents seen of each incident: digest to version."""
    table = INCIDENT_CONTENTS
    found: dict[str, dict[str, int]] = {each: {} for each in incident_ids}
    for some in _batches(incident_ids):
        for row in connection.execute(select(table).where(table.c.incident_id.in_(some))):
            found[row.incident_id][row.digest] = row.version
    return found


def save(connection: Connection, holding: Holding, now: datetime) -> None:
    """Store what a submission made of the agency's candidates.

    Raises ChangedMeanwhileError when another one was quicker with the same reports.
    """
    remove(connection, holding.removed)
    for before, after in holding.changed:
        put(connection, before, after, now)
    contents = [{"incident_id": one, "digest": digest, "version": n} for one, digest, n in holding.contents]
    _insert(connection, INCIDENTS, [_row(each, now) for each in holding.added])
    _insert(connection, INCIDENT_CONTENTS, contents)


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    try:
        connection.execute(insert(table), rows)
    except IntegrityError:
        # The driver's text holds the key, so nothing of it goes on.
        raise ChangedMeanwhileError from None


def put(connection: Connection, before: Incident, after: Incident, now: datetime) -> None:
    """Store a changed incident. Raises ChangedMeanwhileError when it is not what it was before."""
    table = INCIDENTS
    same = and_(table.c.id == before.id, table.c.revision == before.revision)
    if not connection.execute(update(table).where(same).values(_row(after, now))).rowcount:
        raise ChangedMeanwhileError


def remove(connection: Connection, incident_ids: Sequence[str]) -> None:
    """Delete incidents and the digests of what they said."""
    for some in _batches(incident_ids):
        connection.execute(delete(INCIDENT_CONTENTS).where(INCIDENT_CONTENTS.c.incident_id.in_(some)))
        connection.execute(delete(INCIDENTS).where(INCIDENTS.c.id.in_(some)))


def purge(connection: Connection, now: datetime) -> int:
    """Delete what nobody referred from in its 30 days; returns how many. A referral that was made of one stays."""
    old = list(connection.execute(select(INCIDENTS.c.id).where(INCIDENTS.c.purge_at <= now)).scalars())
    remove(connection, old)
    return len(old)


def _row(incident: Incident, now: datetime) -> dict[str, Any]:
    content = to_json(incident)
    # As in a referral: reasons and met rules tell of history checks, or will.
    screening = content["screening"]
    sealed = {name: screening.pop(name) for name in _SEALED if name in screening}
    for name in (*_COLUMNS, "updated_at"):
        content.pop(name, None)
    return {
        **{name: getattr(incident, name) for name in _COLUMNS},
        "content": content,
        "narrative": json.dumps(sealed, separators=(",", ":")),
        "updated_at": now,
    }


def _incident(row: Mapping[Any, Any]) -> Incident:
    content = row["content"]
    content["screening"].update(json.loads(row["narrative"]))
    content.update({name: row[name] for name in _COLUMNS})
    content.update({name: row[name].isoformat() for name in ("purge_at", "updated_at")})
    return from_json(Incident, content)


def _batches(values: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _MANY):
        yield list(values[start : start + _MANY])
