"""Who is counted, and from when (evaluation.md, "t0" and "Populations")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.outcomes.evaluation.canonical import sha256
from services.outcomes.evaluation.words import Door

Population = Literal["ITT", "LANDMARK", "COMPLETERS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationDefinition:
    """Who belongs; `label` is printed wherever a figure of it is."""

    id: Population
    version: int
    label: str
    rule: str
    reason: str

    @property
    def sha256(self) -> str:
        """The hash of everything above."""
        return sha256(self)


_ALL = (
    PopulationDefinition(
        id="ITT",
        version=1,
        label="everyone offered or approved",
        rule="Eligible, or overridden, and offered or approved at t0, whatever happened next; in the comparison arms "
        "everyone eligible or overridden. Counted from t0, in the arm of the first t0.",
        reason="Nothing that happens after t0 decides who is counted.",
    ),
    PopulationDefinition(
        id="LANDMARK",
        version=1,
        label="at risk when the intake clock ran out",
        rule="Of ITT: intake completed within the site's clock (asked of the LEAD arm alone), alive, not arrested and "
        "still observed at t0 + clock. Counted from there; the number lost before is printed.",
        reason="Tells of those who came through intake without giving them the time that intake took.",
    ),
    PopulationDefinition(
        id="COMPLETERS",
        version=1,
        label="selected on completion",
        rule="Of ITT, LEAD arm alone: intake completed, at any time. Counted from t0.",
        reason="The figures the programme is known by read so; whoever completed had first to stay out of jail.",
    ),
)

POPULATIONS: dict[str, PopulationDefinition] = {each.id: each for each in _ALL}

T0_RULES: dict[Door, str] = {
    "ARREST_DIVERSION": "time of the index arrest or detention",
    "SOCIAL_CONTACT": "submission of the first referral that meets eligibility",
    "COMMUNITY": "submission of the first referral that meets eligibility",
}


def t0(door: Door, *, arrested_at: datetime | None, eligible_referral_at: datetime | None) -> datetime:
    """Return when a person's time starts: facts before any act of the programme, never intake or consent.

    `arrested_at` is the index arrest or detention, `eligible_referral_at` the submission of the first referral that
    meets eligibility. Comparison people go by the arrest. Raises ValueError when the door's own instant is missing.
    """
    instant = arrested_at if door == "ARREST_DIVERSION" else eligible_referral_at
    if instant is None:
        raise ValueError(f"t0 of {door} is the {T0_RULES[door]}, which is not given")
    return instant
