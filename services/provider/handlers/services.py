"""Services: what an agency offers, and how many people it served. About nobody, so no event tells of it."""

from __future__ import annotations

from services.provider import store_services
from services.provider.domain import service as domain
from services.provider.domain.records import check_etag
from services.provider.domain.service import Draft, Service, Total
from services.provider.handlers.desk import Desk
from services.provider.paging import token_of
from services.shared.db.idempotency import Key
from services.shared.errors import not_found
from services.shared.sharing.assertion import Caller


def listed(desk: Desk, caller: Caller, agency_id: str, kind: str, after: str, size: int) -> tuple[list[Service], str]:
    """Return a page of services at the caller's sites, and the token of the next page, "" at the end."""
    with desk.parts.db.read() as connection:
        found = store_services.page(connection, caller, agency_id, kind, after, size + 1)
    return found[:size], token_of(found[size - 1].id) if len(found) > size else ""


def create(desk: Desk, caller: Caller, draft: Draft, key: Key | None) -> Service:
    """Offer something; a repeat by key gives what stands. Raises INVALID_ARGUMENT for too many open places."""
    earlier = desk.earlier(key)
    if earlier:
        return _own(desk, caller, earlier)
    new = domain.offered(draft, desk.parts.ids.new("srv"), caller.agency_id, caller.agency_kind)
    with desk.parts.db.write() as connection:
        stored = store_services.add(connection, new, desk.now())
        desk.remember(key, new.id)(connection)
    return stored


def update(desk: Desk, caller: Caller, service_id: str, etag: str, draft: Draft) -> Service:
    """Change a service of the own agency. Raises NOT_FOUND, ABORTED, INVALID_ARGUMENT."""
    before = _own(desk, caller, service_id)
    check_etag(etag, before.etag)
    after = domain.changed(before, draft)
    if after is before:
        return before
    with desk.parts.db.write() as connection:
        return store_services.save(connection, before, after, desk.now())


def record_total(desk: Desk, caller: Caller, service_id: str, total: Total, key: Key | None) -> Service:
    """Record how many a service of the own agency served; the same period again takes its place. Raises NOT_FOUND."""
    earlier = desk.earlier(key)
    found = _own(desk, caller, earlier or service_id)
    if earlier:
        return found
    with desk.parts.db.write() as connection:
        stored = store_services.put_total(connection, found.id, total, desk.now())
        desk.remember(key, found.id)(connection)
    return stored


def _own(desk: Desk, caller: Caller, service_id: str) -> Service:
    with desk.parts.db.read() as connection:
        found = store_services.own(connection, [service_id], caller.agency_id).get(service_id)
    if found is None:
        raise not_found()
    return found
