"""What was opened for the prosecutor's offices, their reviews and decisions, and the tables of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.shared.db import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "applied_version",
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("category", sa.Integer(), nullable=False),
        sa.Column("part_record_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "series",
            "record_id",
            "subject_id",
            "category",
            "part_record_id",
            "agency_id",
            name=op.f("pk_applied_version"),
        ),
    )
    op.create_table(
        "confirmations",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("intake_confirmed_at", types.UtcDateTime(), nullable=True),
        sa.Column("working_as_of", types.UtcDateTime(), nullable=True),
        sa.Column("consent_id", sa.String(length=64), nullable=False),
        sa.Column("consent_version", sa.BigInteger(), nullable=False),
        sa.Column("received_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "office_id", "agency_id", name=op.f("pk_confirmations")),
    )
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
        "inbox",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_seen_at"), "inbox", ["seen_at"], unique=False)
    op.create_table(
        "opened_referrals",
        sa.Column("referral_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("source_agency_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("screening", sa.JSON(), nullable=False),
        sa.Column("screening_version", sa.BigInteger(), nullable=False),
        sa.Column("charges", sa.JSON(), nullable=False),
        sa.Column("charges_version", sa.BigInteger(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", "office_id", name=op.f("pk_opened_referrals")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("trace_parent", sa.String(length=55), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("sent_at", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"], unique=False)
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("source_agency_id", sa.String(length=64), nullable=False),
        sa.Column("referral_version", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("screening", sa.JSON(), nullable=False),
        sa.Column("due_at", types.UtcDateTime(), nullable=False),
        sa.Column("undecided", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("referral_id", "office_id", name=op.f("uq_reviews_referral_id_office_id")),
    )
    op.create_index("ix_reviews_office_id_due_at_id", "reviews", ["office_id", "due_at", "id"], unique=False)
    op.create_index(op.f("ix_reviews_subject_id"), "reviews", ["subject_id"], unique=False)
    op.create_table(
        "shelf",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("routing", sa.LargeBinary(), nullable=False),
        sa.Column("section", sa.LargeBinary(), nullable=False),
        sa.Column("trace_parent", sa.String(length=55), nullable=False),
        sa.Column("agencies", sa.JSON(), nullable=False),
        sa.Column("is_opened", sa.Boolean(), nullable=False),
        sa.Column("shelved_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_shelf")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_shelf_key_id"), "shelf", ["key_id"], unique=False)
    op.create_index(op.f("ix_shelf_shelved_at"), "shelf", ["shelved_at"], unique=False)
    op.create_table(
        "charges",
        sa.Column("review_id", sa.String(length=64), nullable=False),
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("is_referred", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_charges_review_id_reviews")),
        sa.PrimaryKeyConstraint("review_id", "charge_id", name=op.f("pk_charges")),
    )
    op.create_table(
        "decisions",
        sa.Column("review_id", sa.String(length=64), nullable=False),
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("defer_until", types.UtcDateTime(), nullable=True),
        sa.Column("decided_at", types.UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=128), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("basis_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_decisions_review_id_reviews")),
        sa.PrimaryKeyConstraint("review_id", "charge_id", "number", name=op.f("pk_decisions")),
    )
