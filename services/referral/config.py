"""Settings of referral."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.area import AreaConfig


@dataclass(frozen=True, kw_only=True)
class Config(AreaConfig):
    """Everything referral must be told, read once."""

    # Dry runs that one agency may make in a minute; they leave no record, only lines on the ledger.
    screens_per_minute: int = 60
    # How often incident candidates whose 30 days are over, and idempotency keys, are looked for.
    purge_every_seconds: float = 3600.0
