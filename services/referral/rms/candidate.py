"""What is read from one report: whose it is, what to do with it, and the people in it who could be referred."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import StrEnum

from services.shared.errors import Violation


class Action(StrEnum):
    """What the report wants done."""

    UPSERT = "UPSERT"
    REPLACE = "REPLACE"
    DELETE = "DELETE"
    ZERO = "ZERO"


class Role(StrEnum):
    """How the person stands in the report."""

    ARRESTEE = "ARRESTEE"
    SUBJECT = "SUBJECT"


@dataclass(frozen=True, slots=True, order=True)
class NaturalKey:
    """What makes a report, or a person in it, the same as one sent before.

    `ori` is upper case; `report_category` one of codes.CATEGORIES' values; `number` the incident number (Group A),
    the arrest transaction number (Group B) or the month (`2016-02`, Zero Report), as written: leading zeros count.
    `sequence` is "" for the whole report, `arrestee-1` or `subject-1` for a person in it.
    """

    ori: str
    report_category: str
    number: str
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class IncidentTime:
    """When it happened, as exactly as the report says and no more.

    The clock is the agency's own: `offset_minutes` is None unless the file wrote one. `hour` is None when only the day
    is known. `is_report_date`: the day is when it was reported, since nobody knows when it happened (NIBRS element 3).
    """

    day: date
    hour: int | None = None
    offset_minutes: int | None = None
    is_report_date: bool = False

    def begins(self, zone: tzinfo) -> datetime:
        """Return the earliest moment it may mean, aware UTC; `zone` is the site's, used unless the file wrote one."""
        if self.offset_minutes is not None:
            zone = timezone(timedelta(minutes=self.offset_minutes))
        return datetime.combine(self.day, time(self.hour or 0), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class Offence:
    """A NIBRS offence code, its words, and what was done with the drugs: the words of element 12, without gangs."""

    code: str
    description: str
    activities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Substance:
    """A drug found. `quantity` and `unit` are None together: not reported, which is not zero."""

    drug_code: str | None
    drug: str
    quantity: Decimal | None = None
    unit_code: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Age:
    """Years, both ends included; equal when the age is exact, `maximum` None for "over 98". Never a birth date."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Victims:
    """How many victims there were, society and businesses included, and whether one of them is a person."""

    count: int
    any_person: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person in one report. Nameless: NIBRS carries no names, and none is kept if a file does.

    `victims` is None where the report's kind doesn't say (Group B), which is not "none".
    """

    key: NaturalKey
    role: Role
    incident_number: str | None
    incident_time: IncidentTime | None
    arrest_date: date | None
    offences: tuple[Offence, ...]
    arrest_codes: tuple[str, ...]
    substances: tuple[Substance, ...]
    age: Age | None
    victims: Victims | None

    @property
    def codes(self) -> tuple[str, ...]:
        """What is screened: the offence codes and the arrest codes, each once, sorted."""
        return tuple(sorted({offence.code for offence in self.offences} | set(self.arrest_codes)))


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do, from one report.

    A rejected item has a `reason` (`INVALID_REPORT`, `ORI_NOT_YOURS`, `NEVER_CARRIED`), violations, no key and no
    candidates. An accepted one without candidates names nobody who could be referred (offender unknown).
    """

    path: str
    key: NaturalKey | None = None
    action: Action | None = None
    candidates: tuple[Candidate, ...] = ()
    reason: str = ""
    violations: tuple[Violation, ...] = ()

    @property
    def rejected(self) -> bool:
        """Whether nothing may be done with it."""
        return bool(self.reason)


@dataclass(frozen=True, slots=True)
class Import:
    """All that one submission holds, in its order."""

    items: tuple[Item, ...]


def content_digest(candidate: Candidate) -> str:
    """Return 64 hex digits, equal exactly when two candidates say the same: a version is a digest not seen before.

    It can be guessed from few inputs, so it is as personal as the candidate: keep it beside it, never in a log.
    """
    text = json.dumps(asdict(candidate), sort_keys=True, separators=(",", ":"), default=_written)
    return hashlib.sha256(b"lead-candidate-1\n" + text.encode()).hexdigest()


def _written(value: date | Decimal) -> str:
    # 1.5 and 1.50 are one quantity; "f" keeps 100 from becoming 1E+2.
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value.isoformat()
