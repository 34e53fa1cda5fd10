"""What counts as an event: versioned definitions, each with its reason (evaluation.md, "Events").

A definition is never changed: a new version is a new entry. `EVENTS` holds the current one of each id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.outcomes.evaluation.canonical import sha256
from services.outcomes.evaluation.words import Bound, Kind, Level

# ANY: all that is collapsed. NOT_WARRANT_ONLY: some probable cause. NEW_CONDUCT: some conduct after t0, as far as
# warrants go. AFTER_T0: conduct after t0, whatever else.
Basis = Literal["ANY", "NOT_WARRANT_ONLY", "NEW_CONDUCT", "AFTER_T0"]

_BOUNDS: dict[Basis, tuple[Bound, ...]] = {
    "ANY": ("EXACT",),
    "NOT_WARRANT_ONLY": ("EXACT",),
    "NEW_CONDUCT": ("LOWER", "UPPER", "TECHNICAL"),
    "AFTER_T0": ("LOWER", "UPPER"),
}
_FROZEN_ON = date(2026, 11, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDefinition:
    """One way to count; times are compared exactly, an event at t0 itself is not after t0."""

    id: str
    version: int
    title: str
    rule: str
    reason: str
    kinds: tuple[Kind, ...]
    basis: Basis
    # Levels that count; empty: no matter which.
    levels: tuple[Level, ...] = ()
    # A row counts for a person from this link score on; the figures at threshold +- step are printed beside.
    link_threshold: float = 0.95
    link_step: float = 0.1
    frozen_on: date = _FROZEN_ON

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """What is counted under this definition, the first being the one to lead with."""
        return _BOUNDS[self.basis]

    @property
    def sha256(self) -> str:
        """The hash of everything above."""
        return sha256(self)


_ALL = (
    EventDefinition(
        id="ARR_ALL",
        version=1,
        title="Arrests",
        rule="Any taking into custody that an arrest record tells; bookings are counted apart.",
        reason="Needs no judgement about why somebody was arrested.",
        kinds=("ARREST",),
        basis="ANY",
    ),
    EventDefinition(
        id="ARR_NONWARRANT",
        version=1,
        title="Arrests on probable cause",
        rule="As ARR_ALL, without arrests whose only basis is a warrant. A basis that nobody told is taken for "
        "probable cause.",
        reason="A warrant may be years old; the published evaluation found no significant effect on these.",
        kinds=("ARREST",),
        basis="NOT_WARRANT_ONLY",
    ),
    EventDefinition(
        id="ARR_NEWCONDUCT",
        version=1,
        title="Arrests for new conduct",
        rule="As ARR_ALL, without warrant-only arrests for conduct dated t0 or before. Warrants for not appearing or "
        "for supervision, issued after t0, are TECHNICAL and stand apart. A warrant-only arrest for conduct of "
        "unknown date counts in the upper bound alone, unless its warrant was issued at t0 or before.",
        reason="An arrest that only serves a warrant for earlier conduct says nothing of what the person did since.",
        kinds=("ARREST",),
        basis="NEW_CONDUCT",
    ),
    EventDefinition(
        id="ARR_OR_DIVERTED",
        version=1,
        title="Arrests and diverted contacts",
        rule="ARR_ALL and every new probable-cause contact that was diverted.",
        reason="Otherwise diverting people would by itself lower the count.",
        kinds=("ARREST", "DIVERTED_CONTACT"),
        basis="ANY",
    ),
    EventDefinition(
        id="CHG_FELONY",
        version=1,
        title="Felony cases",
        rule="Cases with a felony charge, filed after t0 for conduct after t0; a conduct date that is unknown counts "
        "in the upper bound alone.",
        reason="Filing is the prosecutor's act; convictions depend on the system even more.",
        kinds=("CHARGE_FILED",),
        basis="AFTER_T0",
        levels=("F",),
    ),
    EventDefinition(
        id="CHG_MISD",
        version=1,
        title="Misdemeanour cases",
        rule="As CHG_FELONY, for cases with a gross misdemeanour or misdemeanour charge.",
        reason="The published evaluation found no effect here; both levels are told so that neither is picked.",
        kinds=("CHARGE_FILED",),
        basis="AFTER_T0",
        levels=("GM", "M"),
    ),
)

EVENTS: dict[str, EventDefinition] = {each.id: each for each in _ALL}
HEADLINE = "ARR_OR_DIVERTED"
