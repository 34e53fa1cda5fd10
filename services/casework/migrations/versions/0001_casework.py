"""Hand-offs, what they were called for, participants and their links, and what sealed events need."""

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
        "handoffs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("source_agency_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("requested_at", types.UtcDateTime(), nullable=False),
        sa.Column("called_at", types.UtcDateTime(), nullable=True),
        sa.Column("window_ends_at", types.UtcDateTime(), nullable=True),
        sa.Column("intake_due_at", types.UtcDateTime(), nullable=True),
        sa.Column("request_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", types.UtcDateTime(), nullable=True),
        sa.Column("arrived_at", types.UtcDateTime(), nullable=True),
        sa.Column("ended_at", types.UtcDateTime(), nullable=True),
        sa.Column("fail_reason", sa.String(length=40), nullable=False),
        sa.Column("participant_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("closes_at", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    op.create_index(
        "ix_handoffs_agency_id_is_over_requested_at_id",
        "handoffs",
        ["agency_id", "is_over", "requested_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_handoffs_closes_at"), "handoffs", ["closes_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_seen_at"), "inbox", ["seen_at"], unique=False)
    op.create_table(
        "links",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("participant_id", sa.String(length=64), nullable=False),
        sa.Column("confirmed_by", sa.String(length=128), nullable=False),
        sa.Column("confirmed_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "agency_id", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_participant_id"), "links", ["participant_id"], unique=False)
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
        "participants",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=False),
        sa.Column("family_name", sa.String(length=100), nullable=False),
        sa.Column("birth_date", sa.String(length=10), nullable=False),
        sa.Column("phones", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("where_found", sa.String(length=300), nullable=False),
        sa.Column("safety_flag", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("joined_at", types.UtcDateTime(), nullable=False),
        sa.Column("intake_due_at", types.UtcDateTime(), nullable=True),
        sa.Column("intake_confirmed_at", types.UtcDateTime(), nullable=True),
        sa.Column("working_as_of", types.UtcDateTime(), nullable=True),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("case_manager", sa.String(length=128), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
    )
    op.create_index(
        "ix_participants_agency_id_updated_at_id", "participants", ["agency_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "request_parts",
        sa.Column("handoff_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("received_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("handoff_id", "agency_id", "category", name=op.f("pk_request_parts")),
    )
    op.create_index(op.f("ix_request_parts_received_at"), "request_parts", ["received_at"], unique=False)
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
