"""The kinds of rule that a pack may use, and what each must be told. How they are judged is the referral area's.

Kinds: lead-program.md section 2.2. A new kind is a class here, a line in `KINDS`, and a check in the screening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from types import MappingProxyType
from typing import Any, Literal

from services.shared.sites.read import Count, Positive, Text, Words

Unit = Literal["g", "dosage_units", "ml", "plants"]
Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxQuantity:
    """So much of a drug and no more."""

    limit: Positive
    unit: Unit
    # Whether exactly the limit still passes: "at most 3 g" does, "2 g or more is out" does not.
    inclusive: bool
    # Classes of the pack's `drugs` that count; none named means every drug counts.
    drugs: tuple[str, ...] = ()
    # Classes that never count, whatever the amount.
    exempt: tuple[str, ...] = ()
    # Whether the drugs are weighed together or each for itself.
    weighed: Literal["TOGETHER", "EACH"] = "TOGETHER"
    # A charge under one of these that lists no drug leaves the amount open.
    drug_codes: tuple[str, ...] = ()
    drug_statutes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offences:
    """A set of offences, by offence code, by statute, by level, or by what was done under an offence code."""

    # What the set is called, to be read after "no" or "only": "serious violent offence".
    called: Text
    codes: tuple[str, ...] = ()
    statutes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    # By offence code, the activities that put an offence into the set.
    activities: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The kind says it all; what it needs stands elsewhere in the pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geography:
    """Beats or zones of the catchment area."""

    beats: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Residency:
    """Months that the person must have lived here."""

    months: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What whoever checked the history answers for: CLEAR, DISQUALIFYING or NOT_CHECKED, and nothing else."""

    # What CLEAR means, to be read after "no": "conviction of a sex offence, whenever it was".
    of: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An officer's judgement, yes or no."""

    fact: Text
    must_be: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When the door is staffed, in the site's time zone; `closes` is not part of it."""

    days: tuple[Weekday, ...]
    opens: time
    closes: time


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeOwned:
    """What the programme alone knows of the person; said in words, never evaluated for the police."""

    limit: Text


KINDS: Mapping[str, type[Any]] = {
    "max_quantity": MaxQuantity,
    "offence_not_in": Offences,
    "no_other_crime": Offences,
    "min_age": Nothing,
    "geography": Geography,
    "residency_months": Residency,
    "conviction_lookback": Attested,
    "supervision_status": Attested,
    "protective_order": Attested,
    "specialty_court": Attested,
    "victim_consent_required": Nothing,
    "officer_judgement": Observation,
    "hours_of_operation": Hours,
    "referrer_type_allowed": Nothing,
    "retry_lockout": ProgrammeOwned,
    "order_protecting_participant": ProgrammeOwned,
    "max_diversions": ProgrammeOwned,
    "prior_program_failure": ProgrammeOwned,
}

HISTORY_KINDS = frozenset(kind for kind, told in KINDS.items() if told is Attested)
PROGRAMME_KINDS = frozenset(kind for kind, told in KINDS.items() if told is ProgrammeOwned)
