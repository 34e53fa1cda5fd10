"""Which events were applied: their ids, kept in the same transaction as their effect, so that each counts once.

Ids outlive the topics' 400 days, so that an event cannot come back after its id was forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, select

from services.shared.db.types import UtcDateTime

KEPT = timedelta(days=430)


def inbox_table(metadata: MetaData) -> Table:
    """Add the table `inbox` to an area's metadata."""
    return Table(
        "inbox",
        metadata,
        Column("event_id", String(64), primary_key=True),
        Column("seen_at", UtcDateTime, nullable=False, index=True),
    )


def note(connection: Connection, table: Table, event_ids: Collection[str], now: datetime) -> None:
    """Note that these events are applied by this transaction.

    Raises IntegrityError when one was applied before, by whomever: then nothing of this transaction may count.
    """
    if event_ids:
        connection.execute(insert(table), [{"event_id": event_id, "seen_at": now} for event_id in event_ids])


def known(connection: Connection, table: Table, event_ids: Collection[str]) -> set[str]:
    """Return those of the ids that were applied before; notes nothing."""
    return set(connection.execute(select(table.c.event_id).where(table.c.event_id.in_(event_ids))).scalars())


def forget(connection: Connection, table: Table, now: datetime) -> int:
    """Delete ids that no topic can bring again; returns how many."""
    return connection.execute(delete(table).where(table.c.seen_at < now - KEPT)).rowcount
