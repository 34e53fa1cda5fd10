"""Tables of casework: hand-offs, what they were called for, participants and their subject links."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, String, Table

from services.shared.db.cipher import AreaCipher
from services.shared.db.naming import new_metadata
from services.shared.db.types import SealedText, UtcDateTime
from services.shared.events.outbox import outbox_table
from services.shared.events.tables import consumer_tables

METADATA = new_metadata()
# Loaded with the area's key where the process is wired.
CIPHER = AreaCipher("casework")

HANDOFFS = Table(
    "handoffs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("agency_id", String(64), nullable=False),
    # What the request says, as far as the agency's own work hangs on it.
    Column("source_agency_id", String(64), nullable=False),
    Column("site_id", String(64), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("called_at", UtcDateTime),
    Column("window_ends_at", UtcDateTime),
    Column("intake_due_at", UtcDateTime),
    Column("request_version", BigInteger, nullable=False),
    # What the agency did.
    Column("state", String(20), nullable=False),
    Column("accepted_at", UtcDateTime),
    Column("arrived_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("fail_reason", String(40), nullable=False),
    Column("participant_id", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    # When what it says of each category changed last: RFC 3339 by category word.
    Column("changes", JSON, nullable=False, server_default="{}"),
    # Sorts behind all that somebody still works on.
    Column("is_over", Boolean, nullable=False),
    # End of the agency's view of the request: then it is deleted here.
    Column("closes_at", UtcDateTime, index=True),
    Index("ix_handoffs_agency_id_is_over_requested_at_id", "agency_id", "is_over", "requested_at", "id"),
)

# The caller's record, one row per category, as it was opened for one agency: sections open one by one, and each counts
# by its own version.
REQUEST_PARTS = Table(
    "request_parts",
    METADATA,
    Column("handoff_id", String(64), primary_key=True),
    Column("agency_id", String(64), primary_key=True),
    Column("category", String(40), primary_key=True),
    Column("version", BigInteger, nullable=False),
    # Fields of `HandoffRequest` in proto3 JSON.
    Column("content", JSON, nullable=False),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    # When the content became another one.
    Column("changed_at", UtcDateTime),
)

PARTICIPANTS = Table(
    "participants",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("agency_id", String(64), nullable=False),
    Column("given_name", String(100), nullable=False),
    Column("family_name", String(100), nullable=False),
    Column("birth_date", String(10), nullable=False),
    Column("phones", JSON, nullable=False),
    Column("address", String(300), nullable=False),
    Column("where_found", String(300), nullable=False),
    # "1" or "0": of the category CASE_NOTES, and of one length, so that the sealed bytes do not tell it.
    Column("safety_flag", SealedText(CIPHER), nullable=False),
    Column("state", String(20), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("intake_due_at", UtcDateTime),
    Column("intake_confirmed_at", UtcDateTime),
    Column("working_as_of", UtcDateTime),
    Column("needs", JSON, nullable=False),
    Column("case_manager", String(128), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("changes", JSON, nullable=False, server_default="{}"),
    Index("ix_participants_agency_id_updated_at_id", "agency_id", "updated_at", "id"),
)

# Which subjects a completed hand-off, or a programme office's answer to a match, linked to whom. One participant per
# subject and agency.
LINKS = Table(
    "links",
    METADATA,
    Column("subject_id", String(64), primary_key=True),
    Column("agency_id", String(64), primary_key=True),
    Column("participant_id", String(64), nullable=False, index=True),
    Column("confirmed_by", String(128), nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=False),
    # Empty for a hand-off.
    Column("match_id", String(64), nullable=False, server_default=""),
)

OUTBOX = outbox_table(METADATA)
CONSUMER = consumer_tables(METADATA)
