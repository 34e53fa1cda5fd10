"""What a screening looks at. Everywhere None means: not known. It never means zero, no, or fine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """A drug of a charge. `drug` is a word or a reporting code, `unit` as in `units.py`."""

    drug: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge as the police wrote it; `offense_code` is the code of incident-based reporting, such as 35A."""

    id: str = ""
    statute: str | None = None
    offense_code: str | None = None
    description: str | None = None
    level: str | None = None
    # What was done with the drugs, in the words of the offence's activity codes: "distributing or selling".
    activities: tuple[str, ...] = ()
    substances: tuple[Substance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """Whether somebody was wronged, and whether he would forgo prosecution."""

    present: bool | None = None
    willing_to_forgo: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningFacts:
    """The facts of one referral or incident candidate."""

    door: str
    charges: tuple[Charge, ...] = ()
    # Codes without facts of their own: other offences of the incident, bare arrest codes. They are screened too, and
    # the worse wins.
    incident_codes: tuple[str, ...] = ()
    # YYYY, YYYY-MM or YYYY-MM-DD.
    birth_date: str | None = None
    # Least and greatest age in years, kept as reported; used only where there is no birth date. No greatest: or older.
    age_range: tuple[int, int | None] | None = None
    # Aware. Age and hours are taken at this time, or at the time of the screening where it is not known.
    incident_time: datetime | None = None
    # Judgement of the officer by name: amenable, exploits_minors, promotes_prostitution, for_profit.
    observations: Mapping[str, bool | None] = field(default_factory=lambda: MappingProxyType({}))
    # By rule name: CLEAR, DISQUALIFYING or NOT_CHECKED.
    attestations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    victim: Victim | None = None
    beat: str | None = None
    residency_months: int | None = None
    # The contract's role of whoever refers.
    referrer_role: str | None = None
