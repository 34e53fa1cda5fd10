"""Evaluation entries, what of an outcome can be asked for, and the quarters that are frozen. No IO."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.shared.errors import LeadError, already_exists, failed_precondition

LATEST = "latest"
REARREST, FUNNEL = "rearrest", "funnel"
DEFINITIONS = ("ARR_OR_DIVERTED", "ARR_ALL", "ARR_NONWARRANT", "ARR_NEWCONDUCT", "CHG_FELONY", "CHG_MISD")
"""The headline first, which is the default."""
POPULATIONS = ("ITT", "LANDMARK", "COMPLETERS")
WINDOWS = ("6m", "24m", "calendar")
CLOCKS = ("calendar", "liberty")
# Who may ask for figures that are not published: the programme office for its sites, and the evaluator.
LIVE_ROLES = frozenset({"program_manager", "evaluator"})

_QUARTER = re.compile(r"([0-9]{4})-Q([1-4])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody who is counted without having been referred, registered by `agency_id`."""

    id: str
    subject_id: str
    agency_id: str
    site_id: str
    arm: str
    # HMAC of the index event's name, 32 bytes: a repeat is known by it, and nothing else can be.
    index_hmac: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IndexEvent:
    """The arrest that t0 is the time of, by the name that its agency gave it."""

    agency_id: str
    system: str
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One report about a site. Definition, population and window are empty for the funnel."""

    kind: str
    site_id: str
    definition: str = ""
    population: str = ""
    window: str = ""
    clock: str = CLOCKS[0]

    @property
    def name(self) -> str:
        """Its name inside a snapshot."""
        return "/".join(each for each in (self.kind, self.definition, self.population, self.window) if each)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of a year in UTC, written `2026-Q3`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter | None:
        """Return the quarter that a text names, None for any other text."""
        found = _QUARTER.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found and int(found[1]) else None

    @classmethod
    def of(cls, moment: datetime) -> Quarter:
        """Return the quarter that an aware time lies in."""
        at = moment.astimezone(UTC)
        return cls(at.year, (at.month - 1) // 3 + 1)

    @property
    def following(self) -> Quarter:
        """The next quarter."""
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def preceding(self) -> Quarter:
        """The quarter before."""
        return Quarter(self.year - (self.number == 1), (self.number - 2) % 4 + 1)

    @property
    def end(self) -> datetime:
        """Its last second: a feed that is complete through that one is complete for the quarter."""
        after = self.following
        return datetime(after.year, after.number * 3 - 2, 1, tzinfo=UTC) - timedelta(seconds=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-Q{self.number}"


def frozen_next(last: Quarter | None, complete_through: datetime | None) -> Quarter | None:
    """Return the quarter that is to be frozen now, if any.

    `last` is the last one that was frozen, `complete_through` the earliest end that any contributing feed declares.
    The first is the newest that is complete: of older ones nobody can say any more what was known then. From it on,
    one follows the other.
    """
    if complete_through is None:
        return None
    newest = Quarter.of(complete_through)
    newest = newest if newest.end <= complete_through else newest.preceding
    wanted = newest if last is None else last.following
    return wanted if wanted <= newest else None


def no_approval() -> LeadError:
    """Nothing may be counted: no evaluator's registered approval has opened a record (matrix row 36)."""
    text = "Nothing can be counted here: no evaluator with a registered research approval works on this site yet."
    return failed_precondition("NO_APPROVAL", text)


def registered_otherwise() -> LeadError:
    """The same index event was registered before, in another arm."""
    return already_exists("ENTRY_REGISTERED", "This index event is registered already, in another arm.")
