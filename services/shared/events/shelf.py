"""Sealed sections that could not be opened when they came, and what is needed to open them later.

A release is often signed after the event (architecture section 6). So what may not be opened today stays here, sealed,
found by the id of its key; a later grant names the keys. Sections opened under a handler that serves agencies one by
one stay too, with the agencies that have them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from lead.envelope.v1.envelope_pb2 import SealedSection
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from services.shared.db.types import UtcDateTime
from services.shared.events.seal import Envelope

# As long as the topic that it came by keeps it.
KEPT = timedelta(days=400)
_ENVELOPE = ("event_id", "topic", "schema", "time", "pseudonym")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A section as it came, with the routing section of its event, sealed too.

    `agencies` have it already; empty when it was never opened. `trace_parent` is the hop's. `place` orders by arrival.
    """

    envelope: Envelope
    routing: SealedSection
    section: SealedSection
    trace_parent: str
    agencies: frozenset[str] = frozenset()
    place: int = 0


def shelf_table(metadata: MetaData) -> Table:
    """Add the table `shelf` to an area's metadata."""
    return Table(
        "shelf",
        metadata,
        Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("key_id", LargeBinary, nullable=False, index=True),
        Column("event_id", String(64), nullable=False),
        # The clear attributes, which the ciphertext is bound to.
        Column("envelope", Text, nullable=False),
        Column("routing", LargeBinary, nullable=False),
        Column("section", LargeBinary, nullable=False),
        Column("trace_parent", String(55), nullable=False),
        Column("agencies", JSON, nullable=False),
        Column("is_opened", Boolean, nullable=False),
        Column("shelved_at", UtcDateTime, nullable=False, index=True),
        sqlite_autoincrement=True,
    )


def shelve(connection: Connection, table: Table, sections: Collection[Shelved], now: datetime) -> None:
    """Put sections on the shelf, in their order."""
    if sections:
        connection.execute(insert(table), list(_rows(sections, now)))


def under_keys(connection: Connection, table: Table, key_ids: Collection[bytes]) -> list[Shelved]:
    """Return what lies under these keys, in order of arrival; takes nothing off."""
    return _found(connection, select(table).where(table.c.key_id.in_(key_ids)).order_by(table.c.place))


def page(
    connection: Connection, table: Table, after_place: int, limit: int, *, unopened_only: bool = True
) -> list[Shelved]:
    """Return the next sections behind a place, in order of arrival: those that nobody has yet, or all."""
    query = select(table).where(table.c.place > after_place)
    if unopened_only:
        query = query.where(table.c.is_opened.is_(False))
    return _found(connection, query.order_by(table.c.place).limit(limit))


def take(connection: Connection, table: Table, places: Collection[int]) -> None:
    """Take sections off the shelf: what they said is applied."""
    if places:
        connection.execute(delete(table).where(table.c.place.in_(places)))


def note_opened(connection: Connection, table: Table, opened: Mapping[int, Collection[str]]) -> None:
    """Keep sections on the shelf, by place, and note which agencies have each of them now."""
    if opened:
        query = update(table).where(table.c.place == bindparam("at_place")).values(is_opened=True)
        rows = [{"at_place": place, "agencies": sorted(agencies)} for place, agencies in opened.items()]
        connection.execute(query.values(agencies=bindparam("agencies")), rows)


def purge(connection: Connection, table: Table, key_ids: Collection[bytes]) -> int:
    """Delete everything under these keys, after an erasure or expungement destroyed them; returns how many sections."""
    return connection.execute(delete(table).where(table.c.key_id.in_(key_ids))).rowcount


def forget(connection: Connection, table: Table, now: datetime) -> int:
    """Delete what is older than its topic keeps; returns how many sections."""
    return connection.execute(delete(table).where(table.c.shelved_at < now - KEPT)).rowcount


def _rows(sections: Iterable[Shelved], now: datetime) -> Iterator[dict[str, object]]:
    # What the sections of one event share is written out once.
    for _, its in groupby(sections, key=lambda one: id(one.routing)):
        together = list(its)
        first = together[0]
        envelope = json.dumps([getattr(first.envelope, name) for name in _ENVELOPE])
        routing = first.routing.SerializeToString()
        for one in together:
            yield {
                "key_id": one.section.key_id,
                "event_id": one.envelope.event_id,
                "envelope": envelope,
                "routing": routing,
                "section": one.section.SerializeToString(),
                "trace_parent": one.trace_parent,
                "agencies": sorted(one.agencies),
                "is_opened": bool(one.agencies),
                "shelved_at": now,
            }


def _found(connection: Connection, query: Select[*tuple[object, ...]]) -> list[Shelved]:
    return [_shelved(row) for row in connection.execute(query)]


def _shelved(row: Row[*tuple[object, ...]]) -> Shelved:
    stored = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Shelved(
        envelope=Envelope(*json.loads(stored["envelope"])),
        routing=SealedSection.FromString(stored["routing"]),
        section=SealedSection.FromString(stored["section"]),
        trace_parent=stored["trace_parent"],
        agencies=frozenset(stored["agencies"]),
        place=stored["place"],
    )
