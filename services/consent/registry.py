"""Agencies, accounts and agreements: who takes part, and under which paper (CJ-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
    """A paper between agencies. Only `PARTICIPATION` opens the exchange; it binds all agencies that signed it."""

    agreement_id: str
    type: str
    agency_ids: frozenset[str]
    from_at: datetime
    until_at: datetime | None = None

    def binds(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.from_at <= now and (self.until_at is None or now < self.until_at)


PARTICIPATION = "PARTICIPATION"
NO_AGENCY = Agency("", "", "none", part2="NO")
"""Stands for the source of what no agency recorded: facts about the exchange, accounting."""


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
        ends = [a.until_at for a in self.agreements if a.type == PARTICIPATION and _binds(a, one, other, now)]
        if not ends:
            return False
        return None if None in ends else max(end for end in ends if end is not None)


def _binds(agreement: Agreement, one: str, other: str, now: datetime) -> bool:
    return agreement.binds(now) and {one, other} <= agreement.agency_ids
