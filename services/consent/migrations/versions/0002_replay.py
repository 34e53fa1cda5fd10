"""Sites of an agreement; what a replay of a decision needs, and the policies that decided.

Valid while the release before runs: it leaves the new columns of a decision empty, and its agreements hold for the
sites of their agencies.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("agreements", sa.Column("site_ids", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("decisions", sa.Column("inputs", sa.JSON(), nullable=True))
    op.add_column("decisions", sa.Column("rulings", sa.JSON(), nullable=True))
    op.create_table(
        "policies",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policies")),
    )
