"""What a funnel says: how many referrals came to each step. None is suppressed; public counts are multiples of 5."""

from __future__ import annotations

from dataclasses import dataclass

from services.outcomes.evaluation.words import Door

# Step -> the step that its share is taken of.
STEPS: dict[str, str] = {
    "eligible": "referred",
    "offered": "referred",
    "approved": "referred",
    "handed_off": "referred",
    # Hand-offs whose minutes from the officer's call are known, and those of at most 30.
    "timed": "handed_off",
    "within_30_minutes": "timed",
    "intake": "referred",
    "intake_in_clock": "intake",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The referrals of one door and month ("2026-03", by the site's time zone), or of all months (None)."""

    door: Door
    month: str | None
    referred: int | None
    eligible: int | None
    offered: int | None
    approved: int | None
    handed_off: int | None
    timed: int | None
    within_30_minutes: int | None
    intake: int | None
    intake_in_clock: int | None

    def count(self, step: str) -> int | None:
        """The count of a step by its name. Raises AttributeError for a name that is none."""
        found: int | None = getattr(self, step)
        return found

    def share(self, step: str) -> float | None:
        """The share of a step in the one that `STEPS` names for it, None where either is not shown. Raises KeyError."""
        part, whole = self.count(step), self.count(STEPS[step])
        return None if part is None or not whole else min(1.0, part / whole)


@dataclass(frozen=True, slots=True)
class Declined:
    """Referrals of a door that were declined, by why; UNKNOWN where nobody said."""

    door: Door
    reason: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Steps by door, the sum of months first; reasons in the order of their words."""

    steps: tuple[Steps, ...]
    declined: tuple[Declined, ...]
    suppression: str
    public: bool = False
