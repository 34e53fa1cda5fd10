"""What a sender is told: what became of each event, and how far its feed is complete. No IO."""

from __future__ import annotations

from dataclasses import dataclass

from services.referral.justice.feed import Feed
from services.shared.errors import Violation


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an event; outcomes are the contract's. Violations refuse it, or explain what was made of it."""

    record_key: str
    outcome: str
    event_id: str = ""
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of each event, in order, and of the sender's feed; a note where that is not plain."""

    results: tuple[Result, ...]
    feed: Feed | None
    note: str = ""
