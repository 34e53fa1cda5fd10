"""Queries on the ledger: a connection in, entries, trees and signed texts out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lead.audit.v1.audit_internal_service_pb2 import LedgerEntry
from sqlalchemy import Connection, func, insert, select, update

from services.audit.export import StoredEntry
from services.audit.merkle import Frontier, LedgerError
from services.audit.models import CHECKPOINTS, ENTRIES, HEAD, NODES
from services.audit.sequencer import Row

_ONE = 1
# Rows fetched at once while the whole ledger goes by.
_CHUNK = 500


class Placed(NamedTuple):
    """An entry with its place on the ledger."""

    place: int
    entry: LedgerEntry
    leaf_hash: bytes


class Signed(NamedTuple):
    """A checkpoint as it was signed."""

    size: int
    note: str
    signed_at: datetime


class DatabaseNodes:
    """The tree's nodes, read within one transaction (a `merkle.NodeStore`)."""

    def __init__(self, connection: Connection) -> None:
        """Read through this connection."""
        self._connection = connection

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree; raises LookupError if it was never written."""
        query = select(NODES.c.hash).where(NODES.c.level == level, NODES.c.place == index)
        if level == 0:
            query = select(ENTRIES.c.leaf_hash).where(ENTRIES.c.place == index)
        found = self._connection.execute(query).scalar_one_or_none()
        if found is None:
            raise LookupError("no such node")
        return bytes(found)


def head(connection: Connection) -> Frontier:
    """Return the tree as the last batch left it; an empty one where there was none."""
    found = connection.execute(select(HEAD.c.frontier)).scalar_one_or_none()
    return Frontier() if found is None else Frontier.from_bytes(bytes(found))


def append(connection: Connection, rows: Sequence[Row]) -> None:
    """Store a batch; the caller's transaction makes it durable as a whole or not at all.

    Raises LedgerError `FOREIGN_WRITER` when the ledger isn't as long as the first row's index says.
    """
    found = connection.execute(select(HEAD.c.frontier).with_for_update()).scalar_one_or_none()
    frontier = Frontier() if found is None else Frontier.from_bytes(bytes(found))
    if frontier.size != rows[0].index:
        raise LedgerError("FOREIGN_WRITER", "another process has appended to the ledger")
    for row in rows:
        frontier, _ = frontier.append(row.leaf_hash)
    connection.execute(insert(ENTRIES), [_columns(row) for row in rows])
    nodes = [{"level": node.level, "place": node.index, "hash": node.hash} for row in rows for node in row.nodes]
    if nodes:
        connection.execute(insert(NODES), nodes)
    change = insert(HEAD).values(one=_ONE) if found is None else update(HEAD)
    connection.execute(change.values(frontier=frontier.to_bytes()))


def length(connection: Connection) -> int:
    """Return how many entries the places reach to."""
    last = connection.execute(select(func.max(ENTRIES.c.place))).scalar_one()
    return 0 if last is None else int(last) + 1


def places(connection: Connection, marks: Collection[bytes]) -> dict[bytes, int]:
    """Return the places of the entries that are known by these marks."""
    if not marks:
        return {}
    query = select(ENTRIES.c.mark, ENTRIES.c.place).where(ENTRIES.c.mark.in_(list(marks)))
    return {bytes(row.mark): row.place for row in connection.execute(query)}


def leaf(connection: Connection, place: int) -> bytes:
    """Return the leaf hash of an entry; raises LookupError if there is none."""
    return DatabaseNodes(connection).node(0, place)


def newest(connection: Connection, before: int | None, limit: int) -> list[Placed]:
    """Return at most `limit` entries, newest first, all of a place below `before`."""
    query = select(ENTRIES).order_by(ENTRIES.c.place.desc()).limit(limit)
    return _placed(connection, query if before is None else query.where(ENTRIES.c.place < before))


def newest_about(
    connection: Connection, kind: int, pseudonyms: Collection[bytes], before: int | None, limit: int
) -> list[Placed]:
    """Return at most `limit` entries of one kind about these subjects and some agency, newest first.

    All are below place `before`, where it is given.
    """
    about = ENTRIES.c.subject_pseudonym.in_(list(pseudonyms))
    query = (
        select(ENTRIES)
        .where(about, ENTRIES.c.kind == kind, ENTRIES.c.agency_id != "")
        .order_by(ENTRIES.c.place.desc())
        .limit(limit)
    )
    return _placed(connection, query if before is None else query.where(ENTRIES.c.place < before))


def whole(connection: Connection, size: int) -> Iterator[StoredEntry]:
    """Yield the first `size` entries in order, without holding them all."""
    query = select(ENTRIES.c.entry, ENTRIES.c.leaf_hash).where(ENTRIES.c.place < size).order_by(ENTRIES.c.place)
    for row in connection.execute(query.execution_options(yield_per=_CHUNK)):
        yield StoredEntry(bytes(row.entry), bytes(row.leaf_hash))


def last_signed(connection: Connection) -> Signed | None:
    """Return the checkpoint over the most entries."""
    row = connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else Signed(row.size, row.note, row.signed_at)


def notes(connection: Connection) -> Iterator[str]:
    """Yield all signed texts in rising size."""
    query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size)
    yield from connection.execute(query.execution_options(yield_per=_CHUNK)).scalars()


def keep(connection: Connection, signed: Signed) -> None:
    """Store a checkpoint."""
    connection.execute(insert(CHECKPOINTS).values(size=signed.size, note=signed.note, signed_at=signed.signed_at))


def _placed(connection: Connection, query: Any) -> list[Placed]:
    rows = connection.execute(query)
    return [Placed(row.place, LedgerEntry.FromString(bytes(row.entry)), bytes(row.leaf_hash)) for row in rows]


def _columns(row: Row) -> dict[str, Any]:
    parsed = LedgerEntry.FromString(row.entry)
    return {
        "place": row.index,
        "entry": row.entry,
        "leaf_hash": row.leaf_hash,
        "mark": row.mark,
        "kind": parsed.kind,
        "at": parsed.time.ToDatetime(tzinfo=UTC),
        "agency_id": parsed.agency_id,
        "method": parsed.method,
        "request_id": parsed.request_id,
        "subject_pseudonym": parsed.subject_pseudonym or None,
    }
