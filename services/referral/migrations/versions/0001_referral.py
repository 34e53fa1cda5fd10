"""What police sent, which office may look, what others said about it, and the area's own mail."""

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
        "charge_decisions",
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=False),
        sa.Column("decided_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charge_id", name=op.f("pk_charge_decisions")),
    )
    op.create_index(op.f("ix_charge_decisions_referral_id"), "charge_decisions", ["referral_id"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("intake_confirmed_at", types.UtcDateTime(), nullable=True),
        sa.Column("working_as_of", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "agency_id", name=op.f("pk_confirmations")),
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
        "idempotency_key",
        sa.Column("key_hmac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hmac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("resource_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_hmac", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_seen_at"), "inbox", ["seen_at"], unique=False)
    op.create_table(
        "incident_contents",
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "digest", name=op.f("pk_incident_contents")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("ori", sa.String(length=16), nullable=False),
        sa.Column("report_category", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.String(length=24), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("narrative", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("purge_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint(
            "agency_id",
            "ori",
            "report_category",
            "number",
            "sequence",
            name=op.f("uq_incidents_agency_id_ori_report_category_number_sequence"),
        ),
    )
    op.create_index(
        "ix_incidents_agency_id_updated_at_id", "incidents", ["agency_id", "updated_at", "id"], unique=False
    )
    op.create_index(op.f("ix_incidents_purge_at"), "incidents", ["purge_at"], unique=False)
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
        "referral_offices",
        sa.Column("referral_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", "office_id", name=op.f("pk_referral_offices")),
    )
    op.create_index(op.f("ix_referral_offices_office_id"), "referral_offices", ["office_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("narrative", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("agency_id", "system", "record_id", name=op.f("uq_referrals_agency_id_system_record_id")),
    )
    op.create_index(
        "ix_referrals_agency_id_updated_at_id", "referrals", ["agency_id", "updated_at", "id"], unique=False
    )
    op.create_index("ix_referrals_site_id_updated_at_id", "referrals", ["site_id", "updated_at", "id"], unique=False)
    op.create_index(op.f("ix_referrals_subject_id"), "referrals", ["subject_id"], unique=False)
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
