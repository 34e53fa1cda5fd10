"""The gateway's tables: ledger entries on their way, and the feed of each agency.

The feed says of whom and of which record something happened, never what: the events themselves stay sealed on the log.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from services.shared.db.naming import new_metadata
from services.shared.db.types import UtcDateTime
from services.shared.events.dead_letters import dead_letters_table
from services.shared.events.offsets import offsets_table
from services.shared.ledger import ledger_spool_table

METADATA = new_metadata()
LEDGER_SPOOL = ledger_spool_table(METADATA)

# Entries that audit refused for good: somebody has to look at them.
LEDGER_BURIED = Table(
    "ledger_buried",
    METADATA,
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("reason", String(80), nullable=False),
    Column("entry", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

OFFSETS = offsets_table(METADATA)
DEAD_LETTERS = dead_letters_table(METADATA)

# One row: which feed this is. It is locked by whoever adds to the feed, so that places are committed in their order.
FEED = Table("feed", METADATA, Column("id", String(40), primary_key=True))

# What happened, in the order in which it was heard of.
FEED_EVENT = Table(
    "feed_event",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event_id", String(64), nullable=False, unique=True),
    Column("topic", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("record_id", String(80), nullable=False),
    Column("subject_id", String(80), nullable=False),
    Column("source_agency_id", String(80), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("fed_at", UtcDateTime, nullable=False, index=True),
    Index(None, "subject_id", "seq"),
    sqlite_autoincrement=True,
)

# An event in the feed of an agency. An empty lane is all lanes; a pointer of one lane stands in for that one there.
FEED_POINTER = Table(
    "feed_pointer",
    METADATA,
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("agency_id", String(80), nullable=False),
    Column("lane", String(120), nullable=False),
    Column("event_seq", BigInteger, nullable=False),
    Column("fed_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("event_seq", "agency_id", "lane"),
    Index(None, "agency_id", "place"),
    sqlite_autoincrement=True,
)

# What a lane has passed over: it is fed again when a decision about its person may have changed.
FEED_WITHHELD = Table(
    "feed_withheld",
    METADATA,
    Column("event_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("agency_id", String(80), primary_key=True),
    Column("lane", String(120), primary_key=True),
)

# The referral that a subject came with, for as long as anything may still happen to it.
FEED_REFERRAL = Table(
    "feed_referral",
    METADATA,
    Column("subject_id", String(80), primary_key=True),
    Column("record_id", String(80), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False, index=True),
)
