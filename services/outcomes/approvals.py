"""Which evaluators may have a site's records counted now: the one decision is asked, no rule stands here.

A key of one's own, for a research section about nobody whose source is the site's programme office, is asked to be
released: consent names the agencies it may be opened for, and the approval that this rests on (matrix row 36). An
approval that has run out opens nothing, and then nothing is counted of what it opened before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse, ReleaseKeysRequest, SealingNeed
from lead.options.v1 import words_pb2

from services.outcomes import directory
from services.shared.events.keys import ReleasingKeys, SealedKeys, SealingKeys
from services.shared.ids import Ids


class Keys(SealingKeys, ReleasingKeys, Protocol):
    """Data keys, both ways: `ConsentClient`."""


class Approvals:
    """Asks consent. Safe between threads."""

    def __init__(self, keys: Keys, registry: Callable[[], ReadRegistryResponse], ids: Ids) -> None:
        """Nothing is asked before it is needed."""
        self._keys, self._registry = keys, registry
        # Nobody's: no record hangs on it.
        self._subject = ids.new("sub")
        self._lock = threading.Lock()
        self._sealed: dict[str, SealedKeys] = {}

    def current(self, site_id: str) -> Mapping[str, str]:
        """Return the approval by evaluator agency, for records of this site. Raises LeadError UNAVAILABLE."""
        offices = directory.offices(self._registry(), site_id)
        if not offices:
            return {}
        released = self._keys.release([self._key(offices[0])]).events[0].sections
        return {agency: each.approval_id for each in released for agency in each.on_behalf_of_agency_ids}

    def _key(self, source_agency_id: str) -> SealedKeys:
        with self._lock:
            if source_agency_id not in self._sealed:
                self._sealed[source_agency_id] = self._leased(source_agency_id)
            return self._sealed[source_agency_id]

    def _leased(self, source_agency_id: str) -> SealedKeys:
        section = SealingNeed.SectionNeed(category=words_pb2.CATEGORY_LINKED_RESEARCH)
        need = SealingNeed(subject_id=self._subject, source_agency_id=source_agency_id, sections=[section])
        (lease,) = self._keys.lease([need])
        ids = [key.key_id for key in lease.sections]
        return ReleaseKeysRequest.SealedKeys(routing_key_id=lease.routing.key_id, section_key_ids=ids)
