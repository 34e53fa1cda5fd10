"""The gateway's tables."""

from __future__ import annotations

from services.shared.db.naming import new_metadata
from services.shared.ledger import ledger_spool_table

METADATA = new_metadata()
LEDGER_SPOOL = ledger_spool_table(METADATA)
