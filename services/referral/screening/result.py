"""What a screening answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from services.shared.sites.words import Failing

# What a rule that is not met contributes, and, with ELIGIBLE, what the whole can be. Worst first.
Effect = Literal["PRESUMPTIVELY_INELIGIBLE", "NEEDS_INFO", "PROGRAMME_REVIEW"]
Result = Literal["PRESUMPTIVELY_INELIGIBLE", "NEEDS_INFO", "PROGRAMME_REVIEW", "ELIGIBLE"]
RESULTS: tuple[Result, ...] = get_args(Result)

# The category of the fact that a reason quotes, in the short words of the sharing matrix.
Quotes = Literal[
    "IDENTITY", "CONTACT_LOCATION", "REFERRAL", "CHARGE", "OFFICER_NARRATIVE", "VICTIM_OF_OFFENCE", "ELIGIBILITY"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One way in which one rule is not met, before the rule's own words are added."""

    effect: Effect
    # The fact as it was given, with its unit.
    input: str
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a screening is not ELIGIBLE: the rule by name and in words, the fact as given, and what it had to be."""

    rule: str
    text: str
    input: str
    limit: str
    # Category of `text`, `input` and `limit` (matrix.md, ELIGIBILITY).
    quotes: Quotes
    # Rests on a history check: the reason as a whole is OFFICER_NARRATIVE, even that there is one.
    restricted: bool
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """The result, its reasons from the worst down, and the policy they were judged by."""

    result: Result
    reasons: tuple[Reason, ...]
    # Names of the rules that were judged and met, in the pack's order.
    passed: tuple[str, ...]
    policy_id: str
    policy_version: str

    @property
    def open_reasons(self) -> tuple[Reason, ...]:
        """The reasons that rest on no history check."""
        return tuple(reason for reason in self.reasons if not reason.restricted)

    @property
    def restricted_reasons(self) -> tuple[Reason, ...]:
        """The reasons that rest on a history check."""
        return tuple(reason for reason in self.reasons if reason.restricted)


def worst(effects: Iterable[Result]) -> Result:
    """Return the worst of these results; ELIGIBLE when there is none."""
    return min(effects, key=RESULTS.index, default="ELIGIBLE")


def failing(effect: Failing, given: str, limit: str) -> Finding:
    """Say that a known fact does not meet its rule, with what the pack makes of that."""
    return Finding(effect=effect, input=given, limit=limit)


def needs_info(given: str, limit: str) -> Finding:
    """Say that a rule cannot be judged by what is known."""
    return Finding(effect="NEEDS_INFO", input=given, limit=limit)
