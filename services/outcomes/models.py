"""Tables of outcomes: what was opened of other areas' research sections, evaluation entries, frozen snapshots.

Whatever was opened is kept for the evaluator agency that it was opened for, with the approval that let it be
(matrix row 36; 42 CFR 2.52). No column holds a name, a birth date, or a number that an agency gave a person.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from services.shared.db.idempotency import idempotency_table
from services.shared.db.naming import new_metadata
from services.shared.db.types import UtcDateTime
from services.shared.events.outbox import outbox_table
from services.shared.events.tables import consumer_tables

METADATA = new_metadata()
OUTBOX = outbox_table(METADATA)
CONSUMER = consumer_tables(METADATA)
IDEMPOTENCY = idempotency_table(METADATA)


def _opened() -> tuple[Column[Any], ...]:
    """Return what every opened row carries: whose eyes it was opened for, and on which approval."""
    return (
        Column("agency_id", String(64), primary_key=True),
        Column("approval_id", String(64), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("received_at", UtcDateTime, nullable=False),
    )


REFERRALS = Table(
    "referrals",
    METADATA,
    Column("referral_id", String(64), primary_key=True),
    *_opened(),
    Column("subject_id", String(64), nullable=False),
    Column("site_id", String(64), nullable=False),
    Column("door", String(20), nullable=False),
    Column("incident_at", UtcDateTime),
    Column("referral_at", UtcDateTime),
    Column("incident_key", String(64)),
    Column("screening_result", String(40), nullable=False),
    Column("is_overridden", Boolean, nullable=False),
    Column("offer_at", UtcDateTime),
    Column("offer_outcome", String(20), nullable=False),
    Column("approve_at", UtcDateTime),
    Column("state", String(20), nullable=False),
    Column("intake_clock_days", Integer),
    Index("ix_referrals_agency_id_site_id", "agency_id", "site_id"),
)

# By subject: a referral and its hand-off share it.
INTAKES = Table(
    "intakes",
    METADATA,
    Column("subject_id", String(64), primary_key=True),
    Column("participant_id", String(64), primary_key=True),
    *_opened(),
    Column("intake_at", UtcDateTime, nullable=False),
)

HANDOFFS = Table(
    "handoffs",
    METADATA,
    Column("handoff_id", String(64), primary_key=True),
    *_opened(),
    Column("subject_id", String(64), nullable=False),
    Column("minutes", Integer),
    Column("target_minutes", Integer),
)

JUSTICE_EVENTS = Table(
    "justice_events",
    METADATA,
    Column("event_id", String(64), primary_key=True),
    *_opened(),
    Column("source_agency_id", String(64), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("event_at", UtcDateTime),
    Column("offence_at", UtcDateTime),
    # "" where it was not told.
    Column("warrant_kind", String(20), nullable=False),
    Column("warrant_at", UtcDateTime),
    Column("level", String(20), nullable=False),
    Column("incident_key", String(64)),
    Column("booking_key", String(64)),
    Column("is_withdrawn", Boolean, nullable=False),
    Index("ix_justice_events_received_at", "received_at"),
)

# {study id, justice event} and {study id, referral}: the only thing that joins them. Each is believed or withdrawn by
# itself; one with an entry says as well which justice event the entry was registered by.
LINKS = Table(
    "links",
    METADATA,
    Column("record_id", String(64), primary_key=True),
    Column("study_id", String(64), primary_key=True),
    # "" unless a comparison was registered by it.
    Column("entry_id", String(64), primary_key=True),
    *_opened(),
    Column("target", String(20), nullable=False),
    Column("rule", String(30), nullable=False),
    # Null where the rule has none.
    Column("score", Float),
    Column("is_confirmed", Boolean, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Index("ix_links_agency_id_entry_id", "agency_id", "entry_id"),
)

FEEDS = Table(
    "feeds",
    METADATA,
    Column("feed_agency_id", String(64), primary_key=True),
    *_opened(),
    Column("complete_from", UtcDateTime),
    Column("complete_through", UtcDateTime),
    # Pairs of ISO 8601 times.
    Column("gaps", JSON, nullable=False),
    Column("site_ids", JSON, nullable=False),
)

# The index event's name went to casework sealed; here is only its HMAC, by which a repeat is known.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("agency_id", String(64), nullable=False),
    Column("site_id", String(64), nullable=False, index=True),
    Column("arm", String(20), nullable=False),
    Column("index_hmac", LargeBinary(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("agency_id", "site_id", "index_hmac"),
)

# Written once, never changed.
SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("site_id", String(64), primary_key=True),
    Column("quarter", String(7), primary_key=True),
    Column("agency_id", String(64), nullable=False),
    Column("approval_id", String(64), nullable=False),
    Column("frozen_at", UtcDateTime, nullable=False),
    # SHA-256 in hex of the next column's UTF-8.
    Column("digest", String(64), nullable=False),
    # Canonical JSON.
    Column("content", Text, nullable=False),
)

# One row: raised with whatever changes a figure.
REVISION = Table(
    "revision",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
