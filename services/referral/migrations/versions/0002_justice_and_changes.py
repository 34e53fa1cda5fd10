"""Justice events and their feeds; when what a referral says of each category changed last.

The new columns may be null: the release before this one writes rows without them, and such a row counts as changed as
a whole when it was stored (`services.shared.changes`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.shared.db import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIMES = ("id", "updated_at", "beside_at")


def upgrade() -> None:
    """Add columns and tables, and put indexes by id in the place of those by time of change."""
    op.add_column("referrals", sa.Column("changes", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("referrals", sa.Column("beside_at", types.UtcDateTime(), nullable=True))
    for owner in ("agency_id", "site_id"):
        op.create_index(f"ix_referrals_{owner}_id", "referrals", [owner, *_TIMES], unique=False)
        op.drop_index(f"ix_referrals_{owner}_updated_at_id", table_name="referrals")
    op.add_column("charge_decisions", sa.Column("changed_at", types.UtcDateTime(), nullable=True))
    op.execute("UPDATE charge_decisions SET changed_at = decided_at")
    op.add_column("confirmations", sa.Column("changed_at", types.UtcDateTime(), nullable=True))
    op.execute("UPDATE confirmations SET changed_at = coalesce(working_as_of, intake_confirmed_at)")
    _justice()


def _justice() -> None:
    op.create_table(
        "justice_events",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.Column("received_at", types.UtcDateTime(), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_justice_events")),
        sa.UniqueConstraint("agency_id", "key", name=op.f("uq_justice_events_agency_id_key")),
    )
    op.create_index(op.f("ix_justice_events_subject_id"), "justice_events", ["subject_id"], unique=False)
    op.create_table(
        "justice_feeds",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("complete_from", types.UtcDateTime(), nullable=False),
        sa.Column("complete_through", types.UtcDateTime(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", name=op.f("pk_justice_feeds")),
    )
    op.create_table(
        "justice_feed_gaps",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("from_at", types.UtcDateTime(), nullable=False),
        sa.Column("until_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "from_at", name=op.f("pk_justice_feed_gaps")),
    )
