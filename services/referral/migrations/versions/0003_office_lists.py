"""An office's referrals in order of their ids, so that a page of its list costs the same however many there are."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLE = "referral_offices"


def upgrade() -> None:
    """Put an index by office and id in the place of that by office."""
    op.create_index("ix_referral_offices_office_id_referral_id", _TABLE, ["office_id", "referral_id"], unique=False)
    op.drop_index("ix_referral_offices_office_id", table_name=_TABLE)
