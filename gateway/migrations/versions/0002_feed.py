"""The feed of each agency, and ledger entries that audit refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.shared.db import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "consumer_offset",
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_consumer_offset")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("ce_id", sa.String(length=160), nullable=False),
        sa.Column("ce_type", sa.String(length=160), nullable=False),
        sa.Column("ce_time", sa.String(length=160), nullable=False),
        sa.Column("ce_subject", sa.String(length=160), nullable=False),
        sa.Column("buried_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feed",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
    )
    op.create_table(
        "feed_event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("record_id", sa.String(length=80), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("source_agency_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", types.UtcDateTime(), nullable=False),
        sa.Column("fed_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_feed_event_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_feed_event_fed_at"), "feed_event", ["fed_at"], unique=False)
    op.create_index(op.f("ix_feed_event_subject_id_seq"), "feed_event", ["subject_id", "seq"], unique=False)
    op.create_table(
        "feed_pointer",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency_id", sa.String(length=80), nullable=False),
        sa.Column("lane", sa.String(length=120), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("fed_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_feed_pointer")),
        sa.UniqueConstraint("event_seq", "agency_id", "lane", name=op.f("uq_feed_pointer_event_seq_agency_id_lane")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_feed_pointer_agency_id_place"), "feed_pointer", ["agency_id", "place"], unique=False)
    op.create_index(op.f("ix_feed_pointer_fed_at"), "feed_pointer", ["fed_at"], unique=False)
    op.create_table(
        "feed_referral",
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("record_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_feed_referral")),
    )
    op.create_index(op.f("ix_feed_referral_heard_at"), "feed_referral", ["heard_at"], unique=False)
    op.create_table(
        "feed_withheld",
        sa.Column("event_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency_id", sa.String(length=80), nullable=False),
        sa.Column("lane", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("event_seq", "agency_id", "lane", name=op.f("pk_feed_withheld")),
    )
    op.create_table(
        "ledger_buried",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_ledger_buried")),
        sqlite_autoincrement=True,
    )
