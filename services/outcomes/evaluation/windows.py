"""How long is looked (evaluation.md, "Windows")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.outcomes.evaluation.canonical import sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Either so many calendar months from each person's start, or one stretch of the calendar for all.

    Months end on the same day of the month, clamped to its last: 31 August + 6 months is 28 or 29 February.
    """

    id: str
    months: int | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for anything that is neither of the two."""
        if self.months is not None:
            if self.months < 1 or self.start or self.end:
                raise ValueError("a window of months has a number of months and neither start nor end")
        elif self.start is None or self.end is None or not self.start < self.end:
            raise ValueError("a calendar window has a start before its end")

    @property
    def text(self) -> str:
        """The window in words."""
        if self.months is not None:
            return f"{self.months} calendar months"
        if self.start is None or self.end is None:
            raise ValueError("a calendar window has a start before its end")
        return f"calendar window {self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}, by exposure time"

    @property
    def sha256(self) -> str:
        """The hash of everything above."""
        return sha256(self)


SIX_MONTHS = Window(id="6m", months=6)
TWO_YEARS = Window(id="24m", months=24)
WINDOWS: dict[str, Window] = {each.id: each for each in (SIX_MONTHS, TWO_YEARS)}


def calendar(start: datetime, end: datetime) -> Window:
    """Return a calendar window [start, end], both aware UTC. Raises ValueError when the end is not after the start."""
    return Window(id="calendar", start=start, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRule:
    """When an agency's feed counts as complete over a window."""

    version: int = 1
    # An agency whose completeness ends this long before its site's newest feed has left; a shorter lag only holds
    # everybody's observation back.
    lag_days: int = 92


FEED_RULE = FeedRule()
