"""What a report says. Shares, risks and their bounds are fractions of one; None is a figure that is not given.

In a public report None also stands for what is suppressed; every count there is a multiple of 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.outcomes.evaluation.words import Arm, Bound, Door


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval; an interval that cannot be had is None on both sides."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A cumulative incidence curve up to and with so many days after the start."""

    day: int
    risk: Estimate
    # People still followed just before this day, and those with an event on it or earlier.
    at_risk: int | None
    events: int | None


@dataclass(frozen=True, slots=True)
class Incidence:
    """Aalen-Johansen: risk at the window's end and the curve to it; death competes, moves and feed end censor."""

    risk: Estimate | None
    curve: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """Something per person-year, over all followed time; the interval is robust to people being different."""

    count: float | None
    person_years: float | None
    per_year: Estimate | None
    # How many have any of it.
    people_with: int | None


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """The headline figures had the link score needed been another."""

    threshold: float
    with_event: int | None
    event_free: int | None
    risk: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One way of counting under the definition. Counts and shares are of people with complete follow-up."""

    bound: Bound
    event_free: int | None
    with_event: int | None
    # Died before any event.
    deaths: int | None
    event_or_death: int | None
    event_free_share: Estimate | None
    event_or_death_share: Estimate | None
    by_calendar: Incidence
    at_liberty: Incidence
    events_per_year: Rate
    at_thresholds: tuple[AtThreshold, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """People who belonged by t0 but are not counted from the start, by why."""

    reason: str
    people: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The people of one door and one arm."""

    door: Door
    arm: Arm
    # people + all lost = before.
    before: int | None
    lost: tuple[Lost, ...]
    people: int | None
    # people = complete + censored.
    complete: int | None
    censored: int | None
    # Comparison people who entered LEAD later; they stay where their first t0 put them.
    crossed: int | None
    # People with at least one linked record.
    matched: int | None
    match_rate: Estimate | None
    bookings: Rate
    jail_days: Rate
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """A covariate: means in both arms and their standardised difference, bare and under both weightings."""

    covariate: str
    lead: float | None
    comparison: float | None
    difference: float | None
    difference_ate: float | None
    difference_att: float | None
    # The smallest count behind it where it is a yes or no, else the smaller arm.
    smallest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Logistic GEE, group x time: the odds ratio of the interaction and what it means for the LEAD arm's risk."""

    bound: Bound
    # ATE or ATT.
    estimand: str
    odds_ratio: Estimate
    risk_difference: Estimate
    lead: int | None
    comparison: int | None
    # The smallest of the eight counts behind it: arm x period x event or none.
    smallest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorEffect:
    """Effects for one door, or the sentence that says why there is none."""

    door: Door
    sentence: str | None
    effects: tuple[Effect, ...] = ()
    balance: tuple[Balance, ...] = ()
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """An agency that is left out on both sides, and why: JOINED, LEFT, GAP or UNDECLARED."""

    agency_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """Until when a site's contributing feeds are all complete; None: no feed contributes."""

    site_id: str
    agencies: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A figure with everything that must be known to read it (evaluation.md, first paragraph)."""

    definition_id: str
    definition_version: int
    # Of event definition, population, window and feed rule together.
    sha256: str
    rule: str
    prespecified: bool
    population: str
    population_label: str
    t0_rules: tuple[tuple[Door, str], ...]
    window_id: str
    window: str
    as_of: datetime
    link_threshold: float
    observed: tuple[Observed, ...]
    dropped: tuple[Dropped, ...]
    # Over the window before t0 as well, which effects need: agencies left out there in addition.
    dropped_for_effects: tuple[Dropped, ...]
    groups: tuple[Group, ...]
    effects: tuple[DoorEffect, ...]
    removed: int | None
    reference_label: str
    reference: str
    suppression: str
    notes: tuple[str, ...]
    public: bool = False
