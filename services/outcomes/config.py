"""Settings of outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.area import AreaConfig


@dataclass(frozen=True, kw_only=True)
class Config(AreaConfig):
    """Everything outcomes must be told, read once."""

    # Days after which a justice event is destroyed that no link has named. Longer than casework looks back, so that no
    # link arrives for a row that is gone already.
    look_back_days: int = 770
    # How often such rows, and idempotency keys, are looked for.
    purge_every_seconds: float = 3600.0
    # How often is looked whether a quarter is complete; it is frozen when it was so at two looks, one after the other.
    freeze_every_seconds: float = 900.0
    # How long one call waits while another's report is being made.
    report_wait_seconds: float = 10.0
    # How long a finished report is given again while nothing has changed.
    report_kept_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Raises ValueError for a time that is none."""
        if self.look_back_days < 1 or self.report_wait_seconds < 0 or self.report_kept_seconds < 0:
            raise ValueError("look_back_days is at least 1, report seconds are not negative")
