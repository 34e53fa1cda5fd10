"""Tables of referral: what police sent, which office may look, and what other agencies said about it."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from services.shared.db.cipher import AreaCipher
from services.shared.db.idempotency import idempotency_table
from services.shared.db.naming import new_metadata
from services.shared.db.types import SealedText, UtcDateTime
from services.shared.events.outbox import outbox_table
from services.shared.events.tables import consumer_tables

METADATA = new_metadata()
# Loaded with the area's key where the process is wired.
CIPHER = AreaCipher("referral")

REFERRALS = Table(
    "referrals",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False, index=True),
    Column("agency_id", String(64), nullable=False),
    Column("site_id", String(64), nullable=False),
    # Natural key, with the agency.
    Column("system", String(64), nullable=False),
    Column("record_id", String(128), nullable=False),
    Column("version", BigInteger, nullable=False),
    # All of the record but what stands in the next column.
    Column("content", JSON, nullable=False),
    # JSON of the category OFFICER_NARRATIVE: narrative, observations, attestations, what the screening found of rules.
    Column("narrative", SealedText(CIPHER), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # When what the record says of each category changed last (services.shared.changes); null where a release before
    # this one wrote the row.
    Column("changes", JSON(none_as_null=True)),
    # When another agency's record beside it changed last: a decision, a confirmation.
    Column("beside_at", UtcDateTime),
    UniqueConstraint("agency_id", "system", "record_id"),
    # Lists go by id. The two times are there so that rows which did not change are passed over without being read.
    Index("ix_referrals_agency_id_id", "agency_id", "id", "updated_at", "beside_at"),
    Index("ix_referrals_site_id_id", "site_id", "id", "updated_at", "beside_at"),
)

# Which prosecutor's office may look at which referral: an index of the routing inside the content.
REFERRAL_OFFICES = Table(
    "referral_offices",
    METADATA,
    Column("referral_id", String(64), primary_key=True),
    Column("office_id", String(64), primary_key=True),
    # An office's list goes by it, in order.
    Index("ix_referral_offices_office_id_referral_id", "office_id", "referral_id"),
)

# Other agencies' records, opened from their sealed events under custody (architecture section 6).
CHARGE_DECISIONS = Table(
    "charge_decisions",
    METADATA,
    Column("charge_id", String(64), primary_key=True),
    Column("referral_id", String(64), nullable=False, index=True),
    Column("office_id", String(64), nullable=False),
    Column("value", String(40), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("version", BigInteger, nullable=False),
    # When it came, or came to say something else.
    Column("changed_at", UtcDateTime),
)

CONFIRMATIONS = Table(
    "confirmations",
    METADATA,
    Column("subject_id", String(64), primary_key=True),
    Column("agency_id", String(64), primary_key=True),
    Column("intake_confirmed_at", UtcDateTime),
    Column("working_as_of", UtcDateTime),
    Column("version", BigInteger, nullable=False),
    # When it came, or came to say something else.
    Column("changed_at", UtcDateTime),
)

# One person of one imported report; seen by the submitting agency alone.
INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("agency_id", String(64), nullable=False),
    # Natural key as written in the report, with the agency.
    Column("ori", String(16), nullable=False),
    Column("report_category", String(40), nullable=False),
    Column("number", String(64), nullable=False),
    Column("sequence", String(24), nullable=False),
    # Counts every change; `version` inside the content counts distinct reports alone.
    Column("revision", BigInteger, nullable=False),
    Column("content", JSON, nullable=False),
    # JSON of what the screening found of rules.
    Column("narrative", SealedText(CIPHER), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("purge_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("agency_id", "ori", "report_category", "number", "sequence"),
    Index("ix_incidents_agency_id_updated_at_id", "agency_id", "updated_at", "id"),
)

# Digests of what was imported, so that an older report sent again changes nothing; purged with their incident.
INCIDENT_CONTENTS = Table(
    "incident_contents",
    METADATA,
    Column("incident_id", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)

# That a record of an agency's system was sent as a justice event, and in which version: no name, no number, no event.
# The row outlives the event's use, since a sealed or expunged arrest is taken back years later.
JUSTICE_EVENTS = Table(
    "justice_events",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("agency_id", String(64), nullable=False),
    # Keyed digest of system and record id (incident_key).
    Column("key", LargeBinary(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    # Keyed digest of what was sent.
    Column("digest", LargeBinary(32), nullable=False),
    Column("subject_id", String(64), nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("agency_id", "key"),
)

# How far each agency's feed is complete, as it declares itself.
JUSTICE_FEEDS = Table(
    "justice_feeds",
    METADATA,
    Column("agency_id", String(64), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("complete_from", UtcDateTime, nullable=False),
    Column("complete_through", UtcDateTime, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

# Stretches inside of it that nothing was declared for.
JUSTICE_FEED_GAPS = Table(
    "justice_feed_gaps",
    METADATA,
    Column("agency_id", String(64), primary_key=True),
    Column("from_at", UtcDateTime, primary_key=True),
    Column("until_at", UtcDateTime, nullable=False),
)

IDEMPOTENCY = idempotency_table(METADATA)
OUTBOX = outbox_table(METADATA)
CONSUMER = consumer_tables(METADATA)
