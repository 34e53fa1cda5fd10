"""Whose programme office answers for a record: by the sites of its source agency, as the registry has them. No IO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lead.consent.v1.consent_internal_service_pb2 import RegisteredAgency
from lead.options.v1 import words_pb2


@dataclass(frozen=True, slots=True)
class Office:
    """A programme office and the site that it runs."""

    site_id: str
    agency_id: str


class Offices:
    """The sites that agencies take part in, each in its registered order, and the offices that run them."""

    def __init__(self, agencies: Iterable[RegisteredAgency]) -> None:
        """Read the registry."""
        known = sorted(agencies, key=lambda each: each.agency_id)
        self._sites = {each.agency_id: tuple(each.site_ids) for each in known}
        runs = [each for each in known if each.kind == words_pb2.AGENCY_KIND_PROGRAM_OFFICE]
        self._offices = {site: Office(site, each.agency_id) for each in reversed(runs) for site in each.site_ids}

    def of(self, agency_id: str) -> Office | None:
        """Return the office of the first of an agency's sites that has one."""
        return next(self._of(agency_id), None)

    def shared(self, one: str, other: str) -> Office | None:
        """Return the office of the first site that both agencies take part in and that has one."""
        theirs = self._sites.get(other, ())
        return next((office for office in self._of(one) if office.site_id in theirs), None)

    def _of(self, agency_id: str) -> Iterator[Office]:
        sites = self._sites.get(agency_id, ())
        yield from (self._offices[site] for site in sites if site in self._offices)
