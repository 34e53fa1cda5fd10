"""Tables of provider: services, service referrals with both their sides, enrolments, attendance.

What says of somebody that he is asked for, answered, enrolled or was there lies sealed, for every kind of provider
alike, so that nothing can be told from what is sealed and what is not. Plain columns are what rows are found by.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table, Text

from services.shared.db.cipher import AreaCipher
from services.shared.db.idempotency import idempotency_table
from services.shared.db.naming import new_metadata
from services.shared.db.types import SealedText, UtcDateTime
from services.shared.events.outbox import outbox_table
from services.shared.events.tables import consumer_tables

METADATA = new_metadata()
# Loaded with the area's key where the process is wired.
CIPHER = AreaCipher("provider")

SERVICES = Table(
    "services",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("agency_id", String(64), nullable=False, index=True),
    Column("agency_kind", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("description", Text, nullable=False),
    Column("capacity", Integer),
    Column("open_places", Integer),
    Column("state", String(20), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

SERVICE_SITES = Table(
    "service_sites",
    METADATA,
    Column("service_id", String(64), primary_key=True),
    Column("site_id", String(64), primary_key=True, index=True),
    # The order in which the agency named them.
    Column("place", Integer, nullable=False),
)

# The raw number, of which only the rounded one is ever told.
SERVICE_TOTALS = Table(
    "service_totals",
    METADATA,
    Column("service_id", String(64), primary_key=True),
    Column("period_start", Date, primary_key=True),
    Column("period_end", Date, primary_key=True),
    Column("people", Integer, nullable=False),
)

# The asking agency's side.
SERVICE_REFERRALS = Table(
    "service_referrals",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("agency_id", String(64), nullable=False),
    Column("provider_agency_id", String(64), nullable=False),
    Column("participant_id", String(64), nullable=False, index=True),
    Column("version", BigInteger, nullable=False),
    Column("content", SealedText(CIPHER), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_service_referrals_agency_id_id", "agency_id", "id"),
    Index("ix_service_referrals_provider_agency_id_id", "provider_agency_id", "id"),
)

# The provider's side, a row from the start.
ANSWERS = Table(
    "answers",
    METADATA,
    Column("referral_id", String(64), primary_key=True),
    Column("agency_id", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("content", SealedText(CIPHER), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# What casework told of a participant, one row per category, as it was opened for one addressed provider: sections open
# one by one, and each counts by its own version.
TOLD_PARTS = Table(
    "told_parts",
    METADATA,
    Column("subject_id", String(64), primary_key=True),
    Column("agency_id", String(64), primary_key=True),
    Column("source_agency_id", String(64), primary_key=True),
    Column("category", String(40), primary_key=True),
    Column("participant_id", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    # Fields of `ParticipantRecorded` in proto3 JSON.
    Column("content", SealedText(CIPHER), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

ENROLMENTS = Table(
    "enrolments",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("agency_id", String(64), nullable=False),
    Column("participant_id", String(64), nullable=False),
    # Keyed digest of agency, source system and record id: what a provider calls its record may say what it is.
    Column("natural_key", String(64), nullable=False, unique=True),
    Column("version", BigInteger, nullable=False),
    Column("content", SealedText(CIPHER), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_enrolments_agency_id_id", "agency_id", "id"),
    Index("ix_enrolments_subject_id_id", "subject_id", "id"),
)

# Keyed digests of what was sent, so that an older file sent again changes nothing.
ENROLMENT_CONTENTS = Table(
    "enrolment_contents",
    METADATA,
    Column("enrolment_id", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
)

ATTENDANCE = Table(
    "attendance",
    METADATA,
    Column("enrolment_id", String(64), primary_key=True),
    # Keyed digest of the day.
    Column("day_key", String(64), primary_key=True),
    Column("content", SealedText(CIPHER), nullable=False),
)

IDEMPOTENCY = idempotency_table(METADATA)
OUTBOX = outbox_table(METADATA)
CONSUMER = consumer_tables(METADATA)
