"""Agencies, accounts and agreements: who takes part, and under which paper (CJ-11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.shared.sharing.need import BITS, need


@dataclass(frozen=True)
class Agency:
    """An agency of the exchange. `part2` is YES, NO or UNKNOWN, and unknown is handled as yes (privacy-law 1.1)."""

    agency_id: str
    name: str
    kind: str
    part2: str = "UNKNOWN"
    hipaa: str = "NONE"
    oris: tuple[str, ...] = ()
    site_ids: tuple[str, ...] = ()

    def is_program(self) -> bool:
        """Tell whether anything from it says that someone is a Part 2 program's patient (42 CFR 2.12(a))."""
        return bool(need("IDENTITY", "IDENTITY", self.kind, self.part2) & BITS["SUD_PRESENCE"])


@dataclass(frozen=True)
class Account:
    """A person or a system of one agency, with an owner who answers for it (CJ-07)."""

    account_id: str
    agency_id: str
    roles: tuple[str, ...]
    owner: str = ""
    expires_at: datetime | None = None
    disabled: bool = False


@dataclass(frozen=True)
class Agreement:
    """A paper between agencies, or an approval that names some.

    Only `PARTICIPATION` opens the exchange; it binds all agencies that signed it. `site_ids` are the sites that it
    holds for; empty stands for those of its agencies.
    """

    agreement_id: str
    type: str
    agency_ids: frozenset[str]
    from_at: datetime
    until_at: datetime | None = None
    site_ids: tuple[str, ...] = ()

    def binds(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.from_at <= now and (self.until_at is None or now < self.until_at)


PARTICIPATION, QSOA, RESEARCH_APPROVAL = "PARTICIPATION", "QSOA", "RESEARCH_APPROVAL"
NO_AGENCY = Agency("", "", "none", part2="NO")
"""Stands for the source of what no agency recorded: facts about the exchange, accounting."""

_OPEN_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Registry:
    """A snapshot of who takes part."""

    agencies: Mapping[str, Agency] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()

    def agency(self, agency_id: str) -> Agency | None:
        """Return the agency; the empty id is no agency, an unknown one is None and must be denied."""
        return self.agencies.get(agency_id) if agency_id else NO_AGENCY

    def agree(self, one: str, other: str, now: datetime) -> datetime | bool | None:
        """Return until when an agreement in force binds both (None: open end), or False when none does (CJ-11)."""
        return self._until(PARTICIPATION, one, other, now)

    def serves(self, source: Agency, now: datetime) -> datetime | bool | None:
        """Return until when the operator may match for this source (None: open end), or False when it may not.

        The source takes part together with the operator; a Part 2 program also has a service agreement with it
        (42 CFR 2.11, 2.12(c)(4); matrix row 41).
        """
        operators = [one.agency_id for one in self.agencies.values() if one.kind == "operator"]
        papers = (PARTICIPATION, QSOA) if source.is_program() else (PARTICIPATION,)
        found = [earliest(self._until(type_, one, source.agency_id, now) for type_ in papers) for one in operators]
        return _latest(found)

    def approval(self, agency_id: str, source: Agency, now: datetime) -> Agreement | None:
        """Return the research approval that names this agency for records of this source, the longest first.

        42 CFR 2.52; matrix row 36. The source takes part in one of its sites.
        """
        found = (
            one
            for one in self.agreements
            if one.type == RESEARCH_APPROVAL and one.binds(now) and agency_id in one.agency_ids
            if self._sites(one) & set(source.site_ids)
        )
        return max(found, key=lambda one: (one.until_at or _OPEN_END, one.agreement_id), default=None)

    def _sites(self, agreement: Agreement) -> frozenset[str]:
        known = (self.agencies[one] for one in agreement.agency_ids if one in self.agencies)
        return frozenset(agreement.site_ids) or frozenset(site for one in known for site in one.site_ids)

    def _until(self, type_: str, one: str, other: str, now: datetime) -> datetime | bool | None:
        return _latest([a.until_at for a in self.agreements if a.type == type_ and _binds(a, one, other, now)])


def earliest(ends: Iterable[datetime | bool | None]) -> datetime | bool | None:
    """Return the end of what holds only together: False when a part doesn't hold, None when all are open-ended."""
    all_ends = list(ends)
    return False if False in all_ends else min(_times(all_ends), default=None)


def _latest(ends: list[datetime | bool | None]) -> datetime | bool | None:
    holding = [end for end in ends if end is not False]
    if not holding:
        return False
    return None if None in holding else max(_times(holding))


def _times(ends: Iterable[datetime | bool | None]) -> Iterator[datetime]:
    return (end for end in ends if isinstance(end, datetime))


def _binds(agreement: Agreement, one: str, other: str, now: datetime) -> bool:
    return agreement.binds(now) and {one, other} <= agreement.agency_ids
