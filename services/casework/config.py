"""Settings of casework."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.area import AreaConfig


@dataclass(frozen=True, kw_only=True)
class Config(AreaConfig):
    """Everything casework must be told, read once: what every area must, and its own."""

    # Days for which the tokens of a justice event that is nobody's who is counted are kept. An outcome window is two
    # years, and feeds are late: 25 months.
    look_back_days: int = 762
