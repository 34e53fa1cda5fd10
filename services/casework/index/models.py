"""Tables of the person index, on casework's metadata."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table

from services.casework.models import CIPHER, METADATA
from services.shared.db.types import SealedText, UtcDateTime

# Referrals and justice events that were heard of, the newest version of each.
RECORDS = Table(
    "index_records",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject_id", String(64), nullable=False, index=True),
    Column("agency_id", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    # How much of a birth date it has: 0 none, 1 the year, 2 the month too, 3 the day too.
    Column("birth_parts", Integer, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False, index=True),
    # Of those who are counted: referrals, and comparisons' index events.
    Column("study_id", String(64), nullable=False, index=True),
    # Version of the last `StudyLinked` about it.
    Column("said", BigInteger, nullable=False),
)

# What is kept of their names and numbers: HMACs (`tokens.py`), 32 bytes.
TOKENS = Table(
    "index_tokens",
    METADATA,
    Column("record_id", String(64), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("token", LargeBinary, primary_key=True),
    Index("ix_index_tokens_token_record_id", "token", "record_id"),
)

# Comparisons by the token of their index event.
ENTRIES = Table(
    "index_entries",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False, index=True),
)

# What was published of each record: `StudyLinked` that stand.
STUDY_LINKS = Table(
    "index_study_links",
    METADATA,
    Column("record_id", String(64), primary_key=True),
    Column("study_id", String(64), primary_key=True),
    Column("entry_id", String(64), primary_key=True),
    Column("rule", String(40), nullable=False),
    Column("score", Float, nullable=False),
    Column("is_confirmed", Boolean, nullable=False),
)

# Subjects that a rule linked to a participant, at consent: that only ever withholds.
RULE_LINKS = Table(
    "index_rule_links",
    METADATA,
    Column("subject_id", String(64), primary_key=True),
    Column("participant_id", String(64), nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
)

# Records about which something may have to be published: an outbox of intents, emptied by `publish.py`.
PENDING = Table(
    "index_pending",
    METADATA,
    Column("record_id", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

MATCHES = Table(
    "person_matches",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("known_id", String(64), nullable=False),
    Column("found_id", String(64), nullable=False, index=True),
    Column("known_subject_id", String(64), nullable=False),
    Column("found_subject_id", String(64), nullable=False),
    Column("known_agency_id", String(64), nullable=False),
    Column("found_agency_id", String(64), nullable=False),
    Column("use", String(20), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("site_id", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    # Names as JSON, while it is open.
    Column("known", SealedText(CIPHER)),
    Column("found", SealedText(CIPHER)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(128), nullable=False),
    Column("version", BigInteger, nullable=False),
    # Sorts behind all that somebody still has to decide.
    Column("is_over", Boolean, nullable=False),
    Index("ix_person_matches_known_id_found_id_rule", "known_id", "found_id", "rule", unique=True),
    Index("ix_person_matches_site_id_is_over_created_at_id", "site_id", "is_over", "created_at", "id"),
)
