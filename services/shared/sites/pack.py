"""What a site pack says, as frozen values. Names here are the keys of the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from services.shared.sites.read import Count, Slug, Text, Words, ZoneName
from services.shared.sites.words import Door, Failing, Role

P = TypeVar("P")

Basis = Literal["incident data", "observation", "history check", "programme records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which version of the site's policy this is. Decisions store id and version."""

    id: Slug
    version: Text
    effective_from: date
    # The first day on which it no longer holds; none while it is the current one.
    effective_to: date | None = None
    # Said with every presumption of ineligibility: who may decide otherwise. Nothing is ever denied by a rule alone.
    presumption: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[P]):
    """One rule of eligibility. `params` is of the class that `rules.KINDS` gives for its kind."""

    name: Slug
    kind: str
    params: P
    # The rule as a sentence that says what must hold.
    words: Text
    # What must be known to judge it.
    asks: Text
    basis: Basis
    answered_by: tuple[Role, ...]
    doors: tuple[Door, ...]
    # What not meeting it means.
    failing: Failing = "PRESUMPTIVELY_INELIGIBLE"
    # Whether a published source says so, or it is a default from general knowledge that the site has to verify.
    source: Literal["found", "knowledge default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Deadlines of the site."""

    # Days from the referral to the intake, for each door that has such a deadline.
    intake_days: Mapping[Door, Count]
    # The only start that the exchange can see for every door (contract: clocks count from referralTime).
    intake_start: Literal["REFERRAL"]
    handoff_target_minutes: Count
    # How long a case manager may look for somebody who was referred without an arrest (matrix row 9).
    outreach_days: Count
    # Days before the due day on which to remind.
    remind_days: tuple[Count, ...]
    # Missing the intake makes a task for the prosecutor, never a filing.
    on_miss: Literal["PROSECUTOR_TASK"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """What becomes of the charge on paper while the intake is pending (lead-program.md 5.2)."""

    mode: Literal["NO_REPORT", "REPORT_FORWARDED_UNFILED", "FILED_AND_HELD", "OFFICER_HOLDS"]
    incident_number_required: bool
    # Whether a release to the partners is a condition of not filing. Access to services never depends on it.
    release_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Whose approval lets a referral in: one of `any_of`, or every one of `all_of`."""

    any_of: tuple[Role, ...] = ()
    all_of: tuple[Role, ...] = ()

    def satisfied_by(self, given: Collection[str]) -> bool:
        """Tell whether approvals by these roles are enough."""
        if self.all_of:
            return set(self.all_of) <= set(given)
        return any(role in given for role in self.any_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Charges that fit every condition named here go to this office."""

    office: Slug
    levels: tuple[str, ...] = ()
    # Books of law, as cited in front of the number: SMC.
    books: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Which prosecutor reviews a charge: the first rule that fits, else the default office."""

    default_office: Slug
    rules: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One county's programme."""

    id: Slug
    name: Text
    time_zone: ZoneName
    # Whether each door is open.
    doors: Mapping[Door, bool]
    policy: Policy
    # Younger people are refused unless the juvenile track is open.
    min_age: Count
    juvenile_track: bool = False
    # Classes of drugs, each with the words and codes that police write for them.
    drugs: Mapping[str, Words]
    rules: tuple[Rule[object], ...]
    clocks: Clocks
    charging: Charging
    approvals: Approvals
    # Who may refer, for each open door.
    referrers: Mapping[Door, tuple[Role, ...]]
    routing: Routing

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    def rules_for(self, door: str) -> tuple[Rule[object], ...]:
        """Return the rules that apply to this door, in the pack's order."""
        return tuple(rule for rule in self.rules if door in rule.doors)

    def referrers_for(self, door: str) -> tuple[str, ...]:
        """Return the contract roles that may refer through this door; none where it is closed."""
        return next((roles for name, roles in self.referrers.items() if name == door), ())

    def attested_rules(self, door: str) -> tuple[str, ...]:
        """Return the names of the rules that an attestation may answer for."""
        return tuple(rule.name for rule in self.rules_for(door) if rule.basis == "history check")
