"""Tables of review: what was opened of referrals and confirmations, and what the offices decided."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from services.shared.db.cipher import AreaCipher
from services.shared.db.naming import new_metadata
from services.shared.db.types import SealedText, UtcDateTime
from services.shared.events.outbox import outbox_table
from services.shared.events.tables import consumer_tables

METADATA = new_metadata()
# Loaded with the area's key where the process is wired.
CIPHER = AreaCipher("review")
OUTBOX = outbox_table(METADATA)
CONSUMER = consumer_tables(METADATA)

# Police's record as far as its sealed sections could be opened for an office under custody (architecture section 6).
OPENED = Table(
    "opened_referrals",
    METADATA,
    Column("referral_id", String(64), primary_key=True),
    Column("office_id", String(64), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("source_agency_id", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    # JSON null and version 0 while that section is sealed.
    Column("facts", JSON, nullable=False),
    Column("facts_version", BigInteger, nullable=False),
    Column("screening", JSON, nullable=False),
    Column("screening_version", BigInteger, nullable=False),
    Column("charges", JSON, nullable=False),
    Column("charges_version", BigInteger, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
)

REVIEWS = Table(
    "reviews",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("office_id", String(64), nullable=False),
    Column("referral_id", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False, index=True),
    Column("source_agency_id", String(64), nullable=False),
    Column("referral_version", BigInteger, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("screening", JSON, nullable=False),
    # The far end of time where no clock runs, so that these come last.
    Column("due_at", UtcDateTime, nullable=False),
    # How many of its charges are still to be decided, and are decided: what the state follows from, beside the time.
    Column("undecided", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # When what the review says of each category changed last (services.shared.changes); null where a release before
    # this one wrote the row.
    Column("changes", JSON(none_as_null=True)),
    UniqueConstraint("referral_id", "office_id"),
    Index("ix_reviews_office_id_due_at_id", "office_id", "due_at", "id"),
)

CHARGES = Table(
    "charges",
    METADATA,
    Column("review_id", String(64), primary_key=True),
    Column("charge_id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("is_referred", Boolean, nullable=False),
    # When what police sent of it changed last.
    Column("changed_at", UtcDateTime),
    ForeignKeyConstraint(["review_id"], ["reviews.id"]),
)

# Every decision ever taken; the newest of a charge stands. Work product and basis lie sealed.
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("review_id", String(64), primary_key=True),
    Column("charge_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("value", String(40), nullable=False),
    Column("reason", SealedText(CIPHER), nullable=False),
    Column("note", SealedText(CIPHER), nullable=False),
    Column("defer_until", UtcDateTime),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("basis", SealedText(CIPHER), nullable=False),
    Column("basis_digest", String(64), nullable=False),
    ForeignKeyConstraint(["review_id"], ["reviews.id"]),
)

# Kept by subject: a confirmation may be opened before the review begins, or long after. One row for each office that
# it was opened for, with the consent that let it be: what a basis may cite.
CONFIRMATIONS = Table(
    "confirmations",
    METADATA,
    Column("subject_id", String(64), primary_key=True),
    Column("office_id", String(64), primary_key=True),
    Column("agency_id", String(64), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("intake_confirmed_at", UtcDateTime),
    Column("working_as_of", UtcDateTime),
    Column("consent_id", String(64), nullable=False),
    Column("consent_version", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
