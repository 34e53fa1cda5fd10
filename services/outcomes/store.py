"""Queries on what was opened and on entries: a connection in, rows or domain objects out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, exists, insert, select, update

from services.outcomes.domain import Entry
from services.outcomes.models import ENTRIES, JUSTICE_EVENTS, LINKS, REVISION

_ONLY = 1


def put(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Store an opened row unless a newer version of it stands (EV-16); returns whether it was stored."""
    same = and_(*(column == row[column.name] for column in table.primary_key))
    version = connection.execute(select(table.c.version).where(same).with_for_update()).scalar()
    if version is not None and version > row["version"]:
        return False
    if version is None:
        connection.execute(insert(table).values(row))
    else:
        connection.execute(update(table).where(same).values(row))
    raise_revision(connection)
    return True


def add_entry(connection: Connection, entry: Entry) -> None:
    """Store a new entry. Raises IntegrityError when the same was registered by a call that was quicker."""
    connection.execute(insert(ENTRIES).values({name: getattr(entry, name) for name in Entry.__dataclass_fields__}))
    raise_revision(connection)


def entry(connection: Connection, entry_id: str, agency_id: str) -> Entry | None:
    """Return an entry that this agency registered."""
    return _entry(connection, and_(ENTRIES.c.id == entry_id, ENTRIES.c.agency_id == agency_id))


def entry_of(connection: Connection, agency_id: str, site_id: str, index_hmac: bytes) -> Entry | None:
    """Return the entry that an agency registered by this index event at a site."""
    table = ENTRIES.c
    same = and_(table.agency_id == agency_id, table.site_id == site_id, table.index_hmac == index_hmac)
    return _entry(connection, same)


def destroy_unlinked(connection: Connection, before: datetime) -> int:
    """Delete justice events that came before a time and that no link names; returns how many."""
    link, event = LINKS.c, JUSTICE_EVENTS.c
    named = exists().where(link.record_id == event.event_id, link.agency_id == event.agency_id, ~link.is_withdrawn)
    gone = connection.execute(delete(JUSTICE_EVENTS).where(event.received_at < before, ~named)).rowcount
    if gone:
        raise_revision(connection)
    return gone


def revision(connection: Connection) -> int:
    """Return a number that rises with whatever changes a figure."""
    return connection.execute(select(REVISION.c.number)).scalar() or 0


def raise_revision(connection: Connection) -> None:
    """Say that figures may have changed."""
    raised = update(REVISION).where(REVISION.c.id == _ONLY).values(number=REVISION.c.number + 1)
    if not connection.execute(raised).rowcount:
        connection.execute(insert(REVISION).values(id=_ONLY, number=1))


def _entry(connection: Connection, condition: Any) -> Entry | None:
    row = connection.execute(select(ENTRIES).where(condition)).mappings().one_or_none()
    return None if row is None else Entry(**row)
