"""What consent knows about a subject at one moment: the input of a decision. No IO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.consent.domain import Consent


@dataclass(frozen=True)
class ScopeFact:
    """A fact that an area stated (architecture section 5): true from `from_at` until `until_at`, unless closed.

    `fact` is a word of ScopeFact without its prefix: SITE, INCIDENT, ROUTED, DISPATCHED, ADDRESSED, CASELOAD, SAFETY,
    COMMUNITY.
    """

    fact: str
    subject_id: str
    record_id: str
    agency_id: str = ""
    site_id: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None
    closed: bool = False
    version: int = 0

    def holds(self, now: datetime) -> bool:
        """Tell whether it is true now."""
        if self.closed or (self.from_at is not None and now < self.from_at):
            return False
        return self.until_at is None or now < self.until_at

    def turns(self, now: datetime) -> datetime | None:
        """Return when it begins or ends to be true by itself next, None when it never does."""
        if self.closed:
            return None
        return next((at for at in (self.from_at, self.until_at) if at is not None and now < at), None)


@dataclass(frozen=True)
class Held:
    """All about one subject: its participant, the facts of its records, the participant's releases and safety."""

    subject_id: str = ""
    participant_id: str = ""
    facts: tuple[ScopeFact, ...] = ()
    # Facts about the participant himself: CASELOAD, SAFETY.
    participant_facts: tuple[ScopeFact, ...] = ()
    consents: tuple[Consent, ...] = ()

    def found_by_rule(self) -> Held:
        """Return what counts of it while nobody has confirmed the link to the participant.

        His safety flag withholds. No release covers the subject, and it is not the participant's own (architecture
        section 5: no automatic link widens anything).
        """
        safety = tuple(stated for stated in self.participant_facts if stated.fact == "SAFETY")
        return Held(self.subject_id, "", self.facts, safety)

    def true(self, fact: str, record_id: str, now: datetime) -> Iterator[ScopeFact]:
        """Yield the facts of this kind that hold now, of one record or, where none is named, of any of the subject."""
        for stated in self.facts:
            if stated.fact == fact and record_id in ("", stated.record_id) and stated.holds(now):
                yield stated

    def is_unsafe(self, now: datetime) -> bool:
        """Tell whether the participant's safety flag is set (matrix row 12)."""
        return any(stated.fact == "SAFETY" and stated.holds(now) for stated in self.participant_facts)

    def agencies(self) -> frozenset[str]:
        """Return every agency that a fact or a release names: the only ones that custody can act for."""
        stated = {fact.agency_id for fact in (*self.facts, *self.participant_facts)}
        return frozenset(stated.union(*(consent.draft.recipient_agency_ids for consent in self.consents)) - {""})


NOTHING = Held()
"""What is known about nobody: decisions about facts of the exchange itself rest on it."""
