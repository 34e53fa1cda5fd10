"""Queries on services, where they are offered, and how many they served: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from services.provider import scope
from services.provider.domain.records import stale
from services.provider.domain.service import Service, Total
from services.provider.models import SERVICE_SITES, SERVICE_TOTALS, SERVICES
from services.shared.sharing.assertion import Caller

_PLAIN = (
    *("id", "agency_id", "agency_kind", "name", "kind", "description", "capacity", "open_places", "state", "version"),
    "updated_at",
)
# Ten years of months: what a list carries of a service has an end.
_MOST_TOTALS = 120


def find(connection: Connection, service_id: str, caller: Caller) -> Service | None:
    """Return a service that the caller may be shown."""
    found = _found(connection, and_(SERVICES.c.id == service_id, scope.services(caller)))
    return found[0] if found else None


def own(connection: Connection, service_ids: Collection[str], agency_id: str) -> Mapping[str, Service]:
    """Return those of these services that the agency offers, by id."""
    which = and_(SERVICES.c.agency_id == agency_id, scope.among(connection, SERVICES.c.id, service_ids))
    return {each.id: each for each in _found(connection, which)}


def page(connection: Connection, caller: Caller, agency_id: str, kind: str, after: str, limit: int) -> list[Service]:
    """Return at most `limit` services behind an id; of one agency and of one kind, where these are named."""
    which = [scope.services(caller), SERVICES.c.id > after]
    if agency_id:
        which.append(SERVICES.c.agency_id == agency_id)
    if kind:
        which.append(SERVICES.c.kind == kind)
    return _found(connection, and_(*which), limit)


def add(connection: Connection, service: Service, now: datetime) -> Service:
    """Store a new service; returns it with its time of change."""
    connection.execute(insert(SERVICES).values(_row(service, now)))
    sites = [{"service_id": service.id, "site_id": site, "place": place} for place, site in enumerate(service.site_ids)]
    connection.execute(insert(SERVICE_SITES), sites)
    return _found(connection, SERVICES.c.id == service.id)[0]


def save(connection: Connection, before: Service, after: Service, now: datetime) -> Service:
    """Store a changed service; returns it as it stands. Raises ABORTED when another call was quicker."""
    same = and_(SERVICES.c.id == before.id, SERVICES.c.version == before.version)
    if not connection.execute(update(SERVICES).where(same).values(_row(after, now))).rowcount:
        raise stale()
    return _found(connection, SERVICES.c.id == after.id)[0]


def put_total(connection: Connection, service_id: str, total: Total, now: datetime) -> Service:
    """Store a total in place of one of the same period; returns the service with it."""
    table = SERVICE_TOTALS
    key = {"service_id": service_id, "period_start": total.start, "period_end": total.end}
    same = and_(*(table.c[name] == value for name, value in key.items()))
    if not connection.execute(update(table).where(same).values(people=total.people)).rowcount:
        connection.execute(insert(table).values(**key, people=total.people))
    connection.execute(update(SERVICES).where(SERVICES.c.id == service_id).values(updated_at=now))
    return _found(connection, SERVICES.c.id == service_id)[0]


def _found(connection: Connection, which: ColumnElement[bool], limit: int | None = None) -> list[Service]:
    query = select(SERVICES).where(which).order_by(SERVICES.c.id).limit(limit)
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    sites, totals = _sites(connection, ids), _totals(connection, ids)
    return [_service(row, sites.get(row["id"], ()), totals.get(row["id"], ())) for row in rows]


def _sites(connection: Connection, service_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    table, found = SERVICE_SITES.c, defaultdict[str, list[str]](list)
    which = scope.among(connection, table.service_id, service_ids)
    for row in connection.execute(select(SERVICE_SITES).where(which).order_by(table.service_id, table.place)):
        found[row.service_id].append(row.site_id)
    return found


def _totals(connection: Connection, service_ids: Sequence[str]) -> Mapping[str, Sequence[Total]]:
    table, found = SERVICE_TOTALS.c, defaultdict[str, list[Total]](list)
    which = scope.among(connection, table.service_id, service_ids)
    newest_first = (table.service_id, table.period_end.desc(), table.period_start)
    for row in connection.execute(select(SERVICE_TOTALS).where(which).order_by(*newest_first)):
        if len(found[row.service_id]) < _MOST_TOTALS:
            found[row.service_id].append(Total(start=row.period_start, end=row.period_end, people=row.people))
    return found


def _row(service: Service, now: datetime) -> dict[str, Any]:
    return {**{name: getattr(service, name) for name in _PLAIN}, "updated_at": now}


def _service(row: Mapping[Any, Any], sites: Sequence[str], totals: Sequence[Total]) -> Service:
    return Service(**{name: row[name] for name in _PLAIN}, site_ids=tuple(sites), totals=tuple(totals))
