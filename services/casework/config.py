"""Settings of casework."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.area import AreaConfig


@dataclass(frozen=True)
class Config(AreaConfig):
    """Everything casework must be told, read once: what every area must, and nothing more."""
