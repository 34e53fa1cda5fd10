"""How reports say the evaluation's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

DOORS: Mapping[str, str] = {
    "ARREST_DIVERSION": "Arrest diversion",
    "SOCIAL_CONTACT": "Social contact",
    "COMMUNITY": "Community",
}
ARMS: Mapping[str, str] = {"LEAD": "LEAD", "COMPARISON": "Comparison", "CONTROL": "Control"}
BOUNDS: Mapping[str, str] = {
    "EXACT": "exactly",
    "LOWER": "at least",
    "UPPER": "at most",
    "TECHNICAL": "technical, apart",
}
LOST: Mapping[str, str] = {
    "NO_CLOCK": "the site has no intake clock for this door",
    "DIED": "died before the clock ran out",
    "ARRESTED": "arrested before the clock ran out",
    "NOT_OBSERVED": "not observed until the clock ran out",
    "NO_INTAKE": "no intake within the clock",
    "OUTSIDE_WINDOW": "started outside the calendar window",
}
DROPPED: Mapping[str, str] = {
    "JOINED": "joined inside the window",
    "LEFT": "left inside the window",
    "GAP": "has a gap inside the window",
    "UNDECLARED": "declares no completeness here",
}
DECLINED: Mapping[str, str] = {"BY_PERSON": "the person", "BY_PROGRAMME": "the programme"}
STEP_TITLES: Mapping[str, str] = {
    "eligible": "Eligible",
    "offered": "Offered",
    "approved": "Approved",
    "handed_off": "Handed off",
    "timed": "Minutes known",
    "within_30_minutes": "Within 30 min",
    "intake": "Intake",
    "intake_in_clock": "Intake in clock",
}
ESTIMANDS: Mapping[str, str] = {"ATE": "everybody", "ATT": "the LEAD arm"}
CLOCK_TITLES: Mapping[str, str] = {"calendar": "calendar time from t0", "liberty": "time at liberty"}


def in_words(known: Mapping[str, str], word: str) -> str:
    """Return how a word is said; one that is new is said as it is, in small letters."""
    return known.get(word, word.replace("_", " ").lower())


def moment_text(at: datetime | None) -> str:
    """Return a time as reports print it."""
    return "not declared" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def about(people: int) -> str:
    """Return a count as a note may tell it (evaluation.md, "Release of figures")."""
    return "fewer than 11" if people < 11 else f"about {(people * 2 + 5) // 10 * 5:,}"
