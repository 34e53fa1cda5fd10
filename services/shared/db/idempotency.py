"""The Idempotency-Key rule: a repeated creating call gives the same record, for 30 days (contract, "Rules").

Only HMACs are kept, so the table tells neither key nor body. The caller renders the answer again from the record, so
that a repeat passes through today's decision.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.message import Message
from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from services.shared import errors
from services.shared.db.types import UtcDateTime

KEPT = timedelta(days=30)


def idempotency_table(metadata: MetaData) -> Table:
    """Add the table `idempotency_key` to an area's metadata."""
    return Table(
        "idempotency_key",
        metadata,
        Column("key_hmac", LargeBinary(32), primary_key=True),
        Column("body_hmac", LargeBinary(32), nullable=False),
        Column("resource_id", String(64), nullable=False),
        Column("created_at", UtcDateTime, nullable=False, index=True),
    )


@dataclass(frozen=True, slots=True)
class Key:
    """One call's idempotency key and body, as HMACs of 32 bytes."""

    key: bytes
    body: bytes

    def find(self, connection: Connection, table: Table, now: datetime) -> str | None:
        """As the function `find`."""
        return find(connection, table, self.key, self.body, now)

    def remember(self, connection: Connection, table: Table, resource_id: str, now: datetime) -> None:
        """As the function `remember`."""
        remember(connection, table, self.key, self.body, resource_id, now)


def key_of(secret: bytes, agency_id: str, method: str, request: Message) -> Key | None:
    """Return the key that a request carries in its field `request_id`, or None when it carries none.

    The body is the request without that field, so that key and body can be told apart.
    """
    bare = type(request)()
    bare.CopyFrom(request)
    key = getattr(bare, "request_id", "")
    if not key:
        return None
    bare.ClearField("request_id")
    body = bare.SerializeToString(deterministic=True)
    return Key(key_hmac(secret, agency_id, method, key), body_hmac(secret, body))


def key_hmac(secret: bytes, agency_id: str, method: str, key: str) -> bytes:
    """Return the 32 bytes that stand for this key of this agency on this method (full name)."""
    return _hmac(secret, b"key", agency_id.encode(), method.encode(), key.encode())


def body_hmac(secret: bytes, canonical_body: bytes) -> bytes:
    """Return the 32 bytes that stand for a body; serialise it deterministically, without its `request_id`."""
    return _hmac(secret, b"body", canonical_body)


def find(connection: Connection, table: Table, key: bytes, body: bytes, now: datetime) -> str | None:
    """Return the id of the record that an earlier call with this key made, or None.

    Raises ALREADY_EXISTS `IDEMPOTENCY_KEY_REUSED` when that call had another body.
    """
    row = connection.execute(
        select(table.c.body_hmac, table.c.resource_id).where(table.c.key_hmac == key, table.c.created_at > now - KEPT)
    ).one_or_none()
    if row is None:
        return None
    if not hmac.compare_digest(row.body_hmac, body):
        raise errors.already_exists("IDEMPOTENCY_KEY_REUSED", "This idempotency key was used with another body.")
    return str(row.resource_id)


def remember(connection: Connection, table: Table, key: bytes, body: bytes, resource_id: str, now: datetime) -> None:
    """Keep what a call with this key made; call it in the transaction that makes it.

    Raises ABORTED when the same key is being used by a call that was quicker: trying again finds its record.
    """
    connection.execute(delete(table).where(table.c.key_hmac == key, table.c.created_at <= now - KEPT))
    try:
        connection.execute(insert(table).values(key_hmac=key, body_hmac=body, resource_id=resource_id, created_at=now))
    except IntegrityError:
        raise errors.aborted("The same idempotency key is in use by another call; try again.") from None


def forget(connection: Connection, table: Table, now: datetime) -> int:
    """Delete what is older than 30 days; returns how many rows."""
    return connection.execute(delete(table).where(table.c.created_at <= now - KEPT)).rowcount


def _hmac(secret: bytes, *parts: bytes) -> bytes:
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(secret, framed, hashlib.sha256)
