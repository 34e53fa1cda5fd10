"""A review at one prosecutor's office: what police sent of its charges, what was decided, when its clock ends. No IO.

Nothing here knows of a confirmation: state, due time, order and etag are functions of the referral, the decisions and
the time alone, so that they tell nothing about one (matrix row 15).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from services.shared.errors import LeadError, aborted, failed_precondition

# Decision to the charge's state afterwards (lead-program.md 5.3). A related case is coordinated with the charge on hold
# (Golden Rule 2); a rejected diversion gives the charge back to its ordinary way.
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "DIVERT_CONFIRM": "DIVERTED",
        "DIVERT_REJECT": "RETURNED",
        "DEFER_UNTIL": "DEFERRED",
        "FILE": "FILED",
        "DECLINE_TO_FILE": "DECLINED",
        "COORDINATE_RELATED_CASE": "HELD",
    }
)
UNDECIDED = frozenset({"HELD", "DEFERRED"})
_FINAL = frozenset(OUTCOMES.values()) - UNDECIDED
# State of a charge to the decisions that are legal in it: what is decided stays decided.
MOVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {**dict.fromkeys(UNDECIDED, tuple(OUTCOMES)), **dict.fromkeys(_FINAL, ())}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """A charge as police sent it, and the office that it is routed to. What was not sent is empty."""

    id: str
    office_id: str
    statute: str = ""
    offense_code: str = ""
    description: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFacts:
    """What the office needs of the referral itself. `due_time` is the end of the intake clock, None without one."""

    site_id: str
    door: str
    incident_number: str
    state: str
    referral_time: datetime | None
    due_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """Result and rule names of the source's screening, and the policy's version."""

    result: str
    rules: tuple[str, ...]
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The `number`th decision on a charge. Reason, note and who decided stay in the office."""

    number: int
    value: str
    decided_at: datetime
    decided_by: str
    reason: str = ""
    note: str = ""
    defer_until: datetime | None = None
    basis_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge under review with its newest decision. Once decided, its facts no longer change."""

    facts: ChargeFacts
    decision: Decision | None = None
    # Whether the referral still has it.
    is_referred: bool = True
    # When what police sent of it changed last.
    changed_at: datetime | None = None

    @property
    def id(self) -> str:
        """The charge's id, given by its source."""
        return self.facts.id

    @property
    def state(self) -> str:
        """Where the charge stands."""
        return "HELD" if self.decision is None else OUTCOMES[self.decision.value]

    @property
    def is_decided(self) -> bool:
        """Whether nothing more is to be decided."""
        return self.state not in UNDECIDED

    @property
    def counts(self) -> bool:
        """Whether it is part of the review: one that is neither decided nor referred any more is not."""
        return self.is_referred or self.is_decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One referral at one office. `referral_version` is the version of the facts, `version` that of the review."""

    id: str
    office_id: str
    referral_id: str
    subject_id: str
    source_agency_id: str
    referral_version: int
    facts: ReferralFacts
    screening: Screening | None
    charges: tuple[Charge, ...]
    is_withdrawn: bool = False
    version: int = 1
    updated_at: datetime | None = None

    @property
    def etag(self) -> str:
        """The token of this version."""
        return hashlib.sha256(f"{self.id}/{self.version}".encode()).hexdigest()[:20]

    @property
    def shown(self) -> tuple[Charge, ...]:
        """The charges that are part of the review."""
        return tuple(charge for charge in self.charges if charge.counts)

    @property
    def undecided(self) -> int:
        """How many charges are still to be decided."""
        return sum(not charge.is_decided for charge in self.shown)

    @property
    def decided(self) -> int:
        """How many charges are decided."""
        return sum(charge.is_decided for charge in self.shown)

    def charge(self, charge_id: str) -> Charge | None:
        """Return one of its charges."""
        return next((charge for charge in self.shown if charge.id == charge_id), None)

    def state(self, now: datetime) -> str:
        """Return where the review stands at that time; `store.in_state` says the same to the database."""
        if self.undecided == 0 and self.decided > 0:
            return "DECIDED"
        # Without any charge left there is nothing to hold: the source took them back one by one.
        if self.is_withdrawn or self.undecided == 0:
            return "WITHDRAWN"
        due = self.facts.due_time
        return "RUN_OUT" if due is not None and due <= now else "OPEN"


def check_etag(given: str, review: Review) -> None:
    """Raise ABORTED when the caller read another version. Asked only about reviews of the caller's office."""
    if given != review.etag:
        raise aborted("The review has changed since it was read. Read it again.")


def check_move(review: Review, charge: Charge, value: str) -> None:
    """Raise FAILED_PRECONDITION naming the legal decisions when this one may not be taken."""
    if review.is_withdrawn:
        raise illegal("The referral is withdrawn", ())
    legal = MOVES[charge.state]
    if value not in legal:
        raise illegal(f"The charge is {charge.state}", legal)


def illegal(stands: str, legal: tuple[str, ...]) -> LeadError:
    """Return the refusal of a decision."""
    return failed_precondition("ILLEGAL_MOVE", f"{stands}; what may be decided is: {', '.join(legal) or 'nothing'}.")
