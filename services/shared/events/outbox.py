"""What an area has to say, written in the transaction that makes it true, waiting for the relay.

Two kinds of rows, in one order per subject: an event for the log, already sealed, and a statement for consent that must
have arrived before the events behind it are published (architecture section 5, scope facts).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError
from lead.consent.v1.consent_internal_service_pb2 import LinkSubjectsRequest, StateScopeRequest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from services.shared.db.types import UtcDateTime

EVENT = "event"
STATE_SCOPE = "StateScope"
LINK_SUBJECTS = "LinkSubjects"
# Sent rows are kept so long for the operator to look at; they hold ciphertext.
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Statement:
    """A request to consent that holds back what follows for one subject. `kind` is the method's name."""

    kind: str
    subject_id: str
    body: bytes


def state_scope(subject_id: str, request: StateScopeRequest) -> Statement:
    """Return the statement of scope facts that the subject's next events depend on."""
    return Statement(STATE_SCOPE, subject_id, request.SerializeToString())


def link_subjects(subject_id: str, request: LinkSubjectsRequest) -> Statement:
    """Return the statement of a confirmed link that the subject's next events depend on."""
    return Statement(LINK_SUBJECTS, subject_id, request.SerializeToString())


def can_be_joined(kind: str, body: bytes) -> bool:
    """Tell whether a statement may go in one request with others. One that is no request at all spoils nobody's."""
    if kind != STATE_SCOPE:
        return False
    try:
        StateScopeRequest.FromString(body)
    except DecodeError:
        return False
    return True


def joined(bodies: Iterable[bytes]) -> bytes:
    """Return several scope statements as one, in order: a request is a list, and lists add up on the wire."""
    return b"".join(bodies)


@dataclass(frozen=True, slots=True)
class SealedRow:
    """An event ready for the log. `trace_parent` is that of its request; it stays in this database."""

    topic: str
    subject_id: str
    key: bytes
    value: bytes
    headers: dict[str, bytes]
    trace_parent: str


def outbox_table(metadata: MetaData) -> Table:
    """Add the table `outbox` to an area's metadata."""
    table = Table(
        "outbox",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("kind", String(20), nullable=False),
        Column("subject_id", String(64), nullable=False),
        Column("topic", String(40), nullable=False, default=""),
        Column("key", LargeBinary, nullable=False, default=b""),
        Column("value", LargeBinary, nullable=False),
        Column("headers", Text, nullable=False, default="{}"),
        Column("trace_parent", String(55), nullable=False, default=""),
        Column("created_at", UtcDateTime, nullable=False),
        Column("sent_at", UtcDateTime),
        # An id is never given twice, so "everything up to this id" keeps its meaning.
        sqlite_autoincrement=True,
    )
    unsent = table.c.sent_at.is_(None)
    Index("ix_outbox_unsent", table.c.id, sqlite_where=unsent, postgresql_where=unsent)
    Index("ix_outbox_sent_at", table.c.sent_at)
    return table


def put(connection: Connection, table: Table, said: Iterable[Statement | SealedRow], now: datetime) -> None:
    """Add statements and sealed events, in order; in the transaction that makes them true."""
    rows = [_event(one, now) if isinstance(one, SealedRow) else _statement(one, now) for one in said]
    if rows:
        connection.execute(insert(table), rows)


def put_statement(connection: Connection, table: Table, statement: Statement, now: datetime) -> None:
    """Add a statement; in the transaction that makes it true."""
    put(connection, table, [statement], now)


def put_event(connection: Connection, table: Table, event: SealedRow, now: datetime) -> None:
    """Add a sealed event; in the transaction that makes it true."""
    put(connection, table, [event], now)


def _statement(statement: Statement, now: datetime) -> dict[str, Any]:
    # All rows of one insert have the same columns.
    nothing = {"topic": "", "key": b"", "headers": "{}", "trace_parent": ""}
    said = {"kind": statement.kind, "subject_id": statement.subject_id, "value": statement.body}
    return {**nothing, **said, "created_at": now}


def _event(event: SealedRow, now: datetime) -> dict[str, Any]:
    return {
        "kind": EVENT,
        "subject_id": event.subject_id,
        "topic": event.topic,
        "key": event.key,
        "value": event.value,
        "headers": json.dumps({name: value.decode("ascii") for name, value in event.headers.items()}),
        "trace_parent": event.trace_parent,
        "created_at": now,
    }


def unsent(connection: Connection, table: Table, after_id: int, limit: int) -> list[Row[Any]]:
    """Return the next unsent rows behind an id, oldest first."""
    query = select(table).where(table.c.sent_at.is_(None), table.c.id > after_id).order_by(table.c.id).limit(limit)
    return list(connection.execute(query))


def newest_unsent(connection: Connection, table: Table, subject_ids: Collection[str] = ()) -> int:
    """Return the highest id that is not sent yet, of some subjects or of all; 0 when everything is sent."""
    query = select(func.max(table.c.id)).where(table.c.sent_at.is_(None))
    if subject_ids:
        query = query.where(table.c.subject_id.in_(subject_ids))
    return int(connection.execute(query).scalar() or 0)


def is_sent_up_to(connection: Connection, table: Table, last_id: int, subject_ids: Collection[str] = ()) -> bool:
    """Tell whether nothing up to that id is unsent, of some subjects or of all."""
    query = select(table.c.id).where(table.c.sent_at.is_(None), table.c.id <= last_id).limit(1)
    if subject_ids:
        query = query.where(table.c.subject_id.in_(subject_ids))
    return connection.execute(query).first() is None


def oldest_unsent(connection: Connection, table: Table) -> datetime | None:
    """Return when the oldest row that is not sent was written, None when everything is sent. A metric."""
    query = select(table.c.created_at).where(table.c.sent_at.is_(None)).order_by(table.c.id).limit(1)
    return connection.execute(query).scalar()


def mark_sent(connection: Connection, table: Table, ids: Collection[int], now: datetime) -> None:
    """Note that these rows have arrived."""
    connection.execute(update(table).where(table.c.id.in_(ids)).values(sent_at=now))


def purge_sent(connection: Connection, table: Table, now: datetime) -> int:
    """Delete rows that were sent over seven days ago; returns how many."""
    return connection.execute(delete(table).where(table.c.sent_at < now - KEPT)).rowcount


def headers_of(row: Row[Any]) -> dict[str, bytes]:
    """Return the headers of an event's row."""
    return {name: value.encode("ascii") for name, value in json.loads(row.headers).items()}
