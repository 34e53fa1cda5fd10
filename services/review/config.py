"""Settings of review."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.area import AreaConfig


@dataclass(frozen=True)
class Config(AreaConfig):
    """Everything review must be told, read once; it has nothing of its own."""
