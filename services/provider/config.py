"""Settings of provider."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.area import AreaConfig


@dataclass(frozen=True, kw_only=True)
class Config(AreaConfig):
    """Everything provider must be told, read once."""

    # How often idempotency keys whose 30 days are over are looked for.
    purge_every_seconds: float = 3600.0
