"""Tables of consent: who takes part, who permitted what, what is true, and the keys."""

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
    Text,
    UniqueConstraint,
)

from services.shared.db.idempotency import idempotency_table
from services.shared.db.naming import new_metadata
from services.shared.db.types import UtcDateTime
from services.shared.ledger import ledger_spool_table

METADATA = new_metadata()

AGENCIES = Table(
    "agencies",
    METADATA,
    Column("agency_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("part2", String, nullable=False),
    Column("hipaa", String, nullable=False),
    Column("oris", JSON, nullable=False),
    Column("site_ids", JSON, nullable=False),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account_id", String, primary_key=True),
    Column("agency_id", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("owner", String, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
)

AGREEMENTS = Table(
    "agreements",
    METADATA,
    Column("agreement_id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("agency_ids", JSON, nullable=False),
    Column("from_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime),
    # Empty stands for the sites of its agencies.
    Column("site_ids", JSON, nullable=False),
)

# Merge and unmerge move links, never keys (architecture section 5).
LINKS = Table(
    "subject_links",
    METADATA,
    Column("subject_id", String, primary_key=True),
    Column("participant_id", String, nullable=False, index=True),
    # Account that confirmed the link; empty where a rule found it, and then it only withholds.
    Column("confirmed_by", String, nullable=False),
    # When it was confirmed, or found.
    Column("confirmed_at", UtcDateTime, nullable=False),
)

SCOPE_FACTS = Table(
    "scope_facts",
    METADATA,
    Column("fact", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    # Empty for facts about no agency.
    Column("agency_id", String, primary_key=True),
    Column("subject_id", String, nullable=False, index=True),
    Column("site_id", String, nullable=False),
    Column("from_at", UtcDateTime),
    Column("until_at", UtcDateTime),
    Column("closed", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_scope_facts_agency_id_fact", "agency_id", "fact"),
)

CONSENTS = Table(
    "consents",
    METADATA,
    Column("consent_id", String, primary_key=True),
    Column("participant_id", String, nullable=False, index=True),
    Column("taken_by_agency_id", String, nullable=False),
    Column("rule_version", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    # The draft as it was signed; never edited.
    Column("draft", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# So that subjects granted to an agency are found without reading every draft.
CONSENT_RECIPIENTS = Table(
    "consent_recipients",
    METADATA,
    Column("consent_id", String, primary_key=True),
    Column("agency_id", String, primary_key=True, index=True),
)

REVOCATIONS = Table(
    "revocations",
    METADATA,
    Column("consent_id", String, primary_key=True),
    # Version of the consent that the revocation made.
    Column("version", BigInteger, primary_key=True),
    Column("effective_at", UtcDateTime, nullable=False),
    Column("recipient_agency_ids", JSON, nullable=False),
    Column("categories", JSON, nullable=False),
)

DATA_KEYS = Table(
    "data_keys",
    METADATA,
    Column("key_id", LargeBinary, primary_key=True),
    Column("topic", String, nullable=False),
    Column("subject_id", String, nullable=False, index=True),
    Column("source_agency_id", String, nullable=False),
    # Number of the category; 0 for the routing section.
    Column("category", Integer, nullable=False),
    # Empty where the key serves all records of the subject.
    Column("record_id", String, nullable=False),
    Column("kek_id", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("topic", "subject_id", "source_agency_id", "category", "record_id"),
)

TOPIC_SECRETS = Table(
    "topic_secrets",
    METADATA,
    Column("topic", String, primary_key=True),
    Column("kek_id", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

# Everything that can change a decision bumps the epoch; enforcement points learn which subjects it was about.
EPOCHS = Table(
    "epochs",
    METADATA,
    Column("epoch", Integer, primary_key=True, autoincrement=True),
    Column("reason", String, nullable=False),
    Column("subject_ids", JSON, nullable=False),
    Column("everything", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("session_id", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("applied_epoch", BigInteger, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
)

# AU-01(a): allow and deny, with the inputs that a replay needs; no payload.
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("decision_id", String, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("asker", JSON, nullable=False),
    Column("record", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("consents", JSON, nullable=False),
    Column("visible", BigInteger, nullable=False),
    # What else a replay needs, and the rows that decided; NULL in what was recorded before revision 0002.
    Column("inputs", JSON(none_as_null=True)),
    Column("rulings", JSON(none_as_null=True)),
)

# Every version of the matrix that decisions were made under, so that an old one can be replayed.
POLICIES = Table(
    "policies",
    METADATA,
    Column("version", String, primary_key=True),
    Column("text", Text, nullable=False),
    Column("schema", Text, nullable=False),
)

IDEMPOTENCY = idempotency_table(METADATA)
LEDGER_SPOOL = ledger_spool_table(METADATA)
