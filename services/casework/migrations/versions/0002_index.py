"""The person index and its questions to programme offices; when each category of a record changed last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.shared.db import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns; what the previous release writes stays whole without them."""
    op.add_column("handoffs", sa.Column("changes", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("participants", sa.Column("changes", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("request_parts", sa.Column("changed_at", types.UtcDateTime(), nullable=True))
    op.add_column("links", sa.Column("match_id", sa.String(length=64), server_default="", nullable=False))
    _add_records()
    _add_published()
    _add_matches()


def _add_records() -> None:
    op.create_table(
        "index_records",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("birth_parts", sa.Integer(), nullable=False),
        sa.Column("heard_at", types.UtcDateTime(), nullable=False),
        sa.Column("study_id", sa.String(length=64), nullable=False),
        sa.Column("said", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_records")),
    )
    for column in ("subject_id", "heard_at", "study_id"):
        op.create_index(op.f(f"ix_index_records_{column}"), "index_records", [column], unique=False)
    op.create_table(
        "index_tokens",
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "kind", "token", name=op.f("pk_index_tokens")),
    )
    op.create_index("ix_index_tokens_token_record_id", "index_tokens", ["token", "record_id"], unique=False)
    op.create_table(
        "index_entries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_entries")),
    )
    op.create_index(op.f("ix_index_entries_token"), "index_entries", ["token"], unique=False)


def _add_published() -> None:
    op.create_table(
        "index_study_links",
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("study_id", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "study_id", "entry_id", name=op.f("pk_index_study_links")),
    )
    op.create_table(
        "index_rule_links",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("participant_id", sa.String(length=64), nullable=False),
        sa.Column("linked_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_index_rule_links")),
    )
    op.create_table(
        "index_pending",
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_index_pending")),
    )


def _add_matches() -> None:
    op.create_table(
        "person_matches",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("known_id", sa.String(length=64), nullable=False),
        sa.Column("found_id", sa.String(length=64), nullable=False),
        sa.Column("known_subject_id", sa.String(length=64), nullable=False),
        sa.Column("found_subject_id", sa.String(length=64), nullable=False),
        sa.Column("known_agency_id", sa.String(length=64), nullable=False),
        sa.Column("found_agency_id", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("known", sa.LargeBinary(), nullable=True),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("decided_at", types.UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=128), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_matches")),
    )
    op.create_index(op.f("ix_person_matches_found_id"), "person_matches", ["found_id"], unique=False)
    op.create_index(
        "ix_person_matches_known_id_found_id_rule", "person_matches", ["known_id", "found_id", "rule"], unique=True
    )
    op.create_index(
        "ix_person_matches_site_id_is_over_created_at_id",
        "person_matches",
        ["site_id", "is_over", "created_at", "id"],
        unique=False,
    )
