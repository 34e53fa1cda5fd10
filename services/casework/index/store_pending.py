"""The marks: records about which something may have to be published."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.casework.index.models import PENDING


def mark(connection: Connection, ids: Iterable[str]) -> None:
    """Say that something may have to be published about these."""
    for record_id in sorted(ids):
        if not _again(connection, record_id):
            _first(connection, record_id)


def pending(connection: Connection, after: str, limit: int) -> list[tuple[str, int]]:
    """Return marked records behind an id, each with the revision of its mark, by their ids."""
    query = select(PENDING.c.record_id, PENDING.c.revision).where(PENDING.c.record_id > after)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(PENDING.c.record_id).limit(limit))]


def pending_of(connection: Connection, record_ids: Collection[str]) -> list[tuple[str, int]]:
    """Return those of these records that are marked, as `pending` does."""
    query = select(PENDING.c.record_id, PENDING.c.revision).where(PENDING.c.record_id.in_(record_ids))
    return [(row[0], row[1]) for row in connection.execute(query.order_by(PENDING.c.record_id))]


def done(connection: Connection, record_id: str, revision: int) -> None:
    """Take a mark away, unless something has changed about its record since."""
    connection.execute(delete(PENDING).where(PENDING.c.record_id == record_id, PENDING.c.revision == revision))


def _again(connection: Connection, record_id: str) -> bool:
    same = PENDING.c.record_id == record_id
    return bool(connection.execute(update(PENDING).where(same).values(revision=PENDING.c.revision + 1)).rowcount)


def _first(connection: Connection, record_id: str) -> None:
    try:
        with connection.begin_nested():
            connection.execute(insert(PENDING).values(record_id=record_id, revision=1))
    except IntegrityError:
        # Marked meanwhile by another transaction, where the database lets two write at once.
        _again(connection, record_id)
