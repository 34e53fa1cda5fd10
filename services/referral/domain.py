"""A referral at its source's end: state table, approvals, offer, hand-over. No IO.

Hand-off, intake and confirmation are other agencies' records; here is only what the officer did and saw himself. The
offer is a track of its own, since scene work may come first and paper second (lead-program.md 5.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from services.referral.draft import Draft
from services.referral.screening import Screening
from services.shared.errors import LeadError, aborted, failed_precondition

_OPEN = ("SUBMITTED", "NEEDS_INFO")
_ALIVE = (*_OPEN, "APPROVED")

# Move -> states from which it is legal -> state afterwards. The withdrawn one is revived only by its source, with a
# higher version (`records.py`).
MOVES: Mapping[str, Mapping[str, str]] = {
    "approve": dict.fromkeys(_OPEN, "APPROVED"),
    "decline": dict.fromkeys(_OPEN, "DECLINED"),
    "withdraw": dict.fromkeys((*_ALIVE, "DECLINED", "WITHDRAWN"), "WITHDRAWN"),
    "recordOffer": {state: state for state in _ALIVE},
    "recordHandover": {state: state for state in _ALIVE},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approval, by an agency in a role."""

    agency_id: str
    role: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the person said: ACCEPTED, DECLINED or NOT_MADE, and whom the officer called."""

    outcome: str
    verbal_consent: bool | None = None
    told_voluntary: bool | None = None
    call_time: datetime | None = None
    meet_at: str = ""
    dispatch_agency_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the officer saw of the hand-off."""

    time: datetime
    minutes: int
    target_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """A hand-off that this referral opened, and the end of the window in which its agency may look (matrix row 9)."""

    id: str
    agency_id: str
    requested_at: datetime
    window_end: datetime

    def is_open(self, now: datetime) -> bool:
        """Tell whether the window is open; whether the case manager came is not known here."""
        return now < self.window_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A referral with all that happened to it. `version` counts its changes; `source.version` is the sender's own."""

    id: str
    subject_id: str
    agency_id: str
    referrer_role: str
    draft: Draft
    # Of what was sent, so that the same version with another body is told from a repeat.
    digest: str
    screening: Screening
    state: str
    # Prosecutor's office of each charge id, as the pack said when the charges came.
    routing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 1
    approvals: tuple[Approval, ...] = ()
    decline_reason: str = ""
    offer: Offer | None = None
    handover: Handover | None = None
    handoff: Handoff | None = None
    updated_at: datetime | None = None

    @property
    def etag(self) -> str:
        """The token of this version. Records of other agencies beside it do not change it."""
        return etag_of(self.id, self.version)

    @property
    def offices(self) -> frozenset[str]:
        """The prosecutor's offices that a charge is routed to."""
        return frozenset(self.routing.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeDecision:
    """A prosecutor's decision on one charge, as it was opened for the police agency. Another agency's record."""

    charge_id: str
    referral_id: str
    office_id: str
    value: str
    decided_at: datetime | None
    version: int
    # When it came, or came to say something else.
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The case-management agency's two positive facts. Another agency's record."""

    subject_id: str
    agency_id: str
    intake_confirmed_at: datetime | None
    working_as_of: datetime | None
    version: int
    # When it came, or came to say something else.
    changed_at: datetime | None = None


def etag_of(record_id: str, version: int) -> str:
    """Return an opaque token of one version of one record."""
    return hashlib.sha256(f"{record_id}/{version}".encode()).hexdigest()[:20]


def check_etag(given: str, current: str) -> None:
    """Raise ABORTED when the caller read another version. Asked only about records that the caller may see."""
    if given != current:
        raise aborted("The record has changed since it was read. Read it again.")


def after(state: str, move: str) -> str:
    """Return the state after a move. Raises FAILED_PRECONDITION naming the legal moves."""
    legal = MOVES[move]
    if state not in legal:
        raise illegal(state)
    return legal[state]


def illegal(state: str) -> LeadError:
    """Return the refusal of a move that this state does not allow."""
    moves = ", ".join(move for move, states in MOVES.items() if state in states)
    return failed_precondition("ILLEGAL_MOVE", f"The referral is {state}; what may follow is: {moves}.")


def next_version(referral: Referral, **changes: object) -> Referral:
    """Return the referral changed, as its next version."""
    return replace(referral, version=referral.version + 1, **changes)  # type: ignore[arg-type]
