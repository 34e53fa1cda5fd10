"""The asking agency's side of a service referral. No IO.

Whether one of its moves is legal never hangs on what the provider said: the agency may not be allowed to know that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.provider.domain.records import Moves, Spell, after, entered, etag_of

REQUEST_MOVES: Moves = {
    "accept": {"REQUESTED": "ACCEPTED"},
    "decline": {"REQUESTED": "DECLINED"},
    "cancel": {"REQUESTED": "CANCELLED", "ACCEPTED": "CANCELLED"},
}
OVER = frozenset({"DECLINED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Somebody is asked for a service. `version` counts the asking agency's own moves."""

    id: str
    subject_id: str
    # Who asks.
    agency_id: str
    provider_agency_id: str
    # What the provider is: decides what its answer tells of the person.
    provider_kind: str
    service_id: str
    site_id: str
    participant_id: str
    needs: tuple[str, ...] = ()
    requested_at: datetime
    state: str = "REQUESTED"
    decline_reason: str = ""
    spells: tuple[Spell, ...] = ()
    version: int = 1
    changed_at: datetime

    @property
    def etag(self) -> str:
        """The token of this version of the asking agency's side."""
        return etag_of(self.id, self.version)

    @property
    def is_over(self) -> bool:
        """Whether nobody asks any more."""
        return self.state in OVER


def moved(request: Request, move: str, now: datetime, reason: str = "") -> Request:
    """Return the request after a move of the asking agency. Raises FAILED_PRECONDITION naming the legal ones."""
    state = after(REQUEST_MOVES, request.state, move, "service referral")
    return replace(
        request,
        state=state,
        decline_reason=reason,
        spells=entered(request.spells, state, now),
        version=request.version + 1,
        changed_at=now,
    )
