"""Which agencies there are, as far as a referral must know: ORIs, sites, and who can send a case manager.

A copy of consent's registry. Nothing here decides about sharing, so an older copy serves while consent does not answer:
a referral must come in all the same (architecture section 7, Degraded).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse
from lead.options.v1 import words_pb2

from services.shared.clock import Clock
from services.shared.errors import LeadError

# The client that is asked remembers its answer while it is current; this only keeps an outage from being felt often.
_KEPT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Agency:
    """One registered agency."""

    kind: int
    oris: frozenset[str]
    site_ids: tuple[str, ...]


_NOBODY = Agency(words_pb2.AGENCY_KIND_UNSPECIFIED, frozenset(), ())


class Directory(Protocol):
    """What use cases ask."""

    def oris(self, agency_id: str) -> frozenset[str]:
        """Return the agency's ORIs, upper case."""
        ...

    def site_ids(self, agency_id: str) -> tuple[str, ...]:
        """Return the sites that the agency takes part in, its first one first."""
        ...

    def sends_case_managers(self, agency_id: str, site_id: str | None = None) -> bool:
        """Tell whether it is a case-management agency, of this site if one is named."""
        ...


class RegistryDirectory:
    """A copy of the registry. Safe between threads."""

    def __init__(self, read: Callable[[], ReadRegistryResponse], clock: Clock) -> None:
        """`read` returns the registry, or raises LeadError; it is called every few seconds at most."""
        self._read, self._clock = read, clock
        self._agencies: Mapping[str, Agency] | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def oris(self, agency_id: str) -> frozenset[str]:
        """Return the agency's ORIs. Raises UNAVAILABLE while the registry was never read."""
        return self._agency(agency_id).oris

    def site_ids(self, agency_id: str) -> tuple[str, ...]:
        """Return the agency's sites. Raises UNAVAILABLE while the registry was never read."""
        return self._agency(agency_id).site_ids

    def sends_case_managers(self, agency_id: str, site_id: str | None = None) -> bool:
        """Tell whether the agency is one of case managers. Raises UNAVAILABLE while the registry was never read."""
        agency = self._agency(agency_id)
        is_right_kind = agency.kind == words_pb2.AGENCY_KIND_CASE_MANAGEMENT
        return is_right_kind and (site_id is None or site_id in agency.site_ids)

    def _agency(self, agency_id: str) -> Agency:
        now = self._clock.monotonic()
        with self._lock:
            known = self._agencies
            is_due = known is None or now - self._read_at > _KEPT_SECONDS
            if is_due:
                # Whoever asks meanwhile goes on with the older copy, where there is one.
                self._read_at = now
        return (self._fresh(known) if is_due or known is None else known).get(agency_id, _NOBODY)

    def _fresh(self, older: Mapping[str, Agency] | None) -> Mapping[str, Agency]:
        try:
            answer = self._read()
        except LeadError:
            if older is None:
                raise
            return older
        agencies = {
            each.agency_id: Agency(each.kind, frozenset(ori.upper() for ori in each.oris), tuple(each.site_ids))
            for each in answer.agencies
        }
        with self._lock:
            self._agencies = agencies
        return agencies
