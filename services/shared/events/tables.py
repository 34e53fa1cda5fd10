"""The tables that a consumer needs in its own database, in one hand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import MetaData, Table

from services.shared.events.applied import applied_table
from services.shared.events.dead_letters import dead_letters_table
from services.shared.events.inbox import inbox_table
from services.shared.events.offsets import offsets_table
from services.shared.events.shelf import shelf_table


@dataclass(frozen=True, slots=True)
class ConsumerTables:
    """Inbox, positions, shelf, applied versions and dead letters of one consumer."""

    inbox: Table
    offsets: Table
    shelf: Table
    applied: Table
    dead_letters: Table


def consumer_tables(metadata: MetaData) -> ConsumerTables:
    """Add all of them to an area's metadata. An area that only publishes needs `outbox_table` alone."""
    return ConsumerTables(
        inbox_table(metadata),
        offsets_table(metadata),
        shelf_table(metadata),
        applied_table(metadata),
        dead_letters_table(metadata),
    )
