"""When what a review says of each category changed last, and when what police sent of a charge did.

The columns may be null: the release before this one writes rows without them, and such a review counts as changed as a
whole when it was stored (`services.shared.changes`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.shared.db import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; charges that are there changed when their review was stored last, as far as is known."""
    op.add_column("reviews", sa.Column("changes", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("charges", sa.Column("changed_at", types.UtcDateTime(), nullable=True))
    op.execute("UPDATE charges SET changed_at = (SELECT updated_at FROM reviews WHERE reviews.id = charges.review_id)")
