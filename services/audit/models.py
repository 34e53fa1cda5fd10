"""Tables of audit: the entries, the tree over them, and what was signed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from services.shared.db import new_metadata
from services.shared.db.types import UtcDateTime

METADATA = new_metadata()

# `entry` and `leaf_hash` are the ledger. The columns behind them repeat what the entry's bytes say, to find it by.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    # HMAC of the caller's key for this entry, so that appending it twice is one entry.
    Column("mark", LargeBinary(32)),
    Column("kind", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("agency_id", String, nullable=False),
    Column("method", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("subject_pseudonym", LargeBinary(32)),
    UniqueConstraint("mark"),
    Index("ix_entries_subject_pseudonym_kind_place", "subject_pseudonym", "kind", "place"),
    # Who received what in a time: the question after a breach (P2-94).
    Index("ix_entries_agency_id_at", "agency_id", "at"),
)

# Complete subtrees above the leaves; a node never changes once written.
NODES = Table(
    "nodes",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# One row: the tree as the last batch left it.
HEAD = Table(
    "head",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("frontier", LargeBinary, nullable=False),
)

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
)
