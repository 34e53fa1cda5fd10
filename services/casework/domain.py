"""Hand-offs and participants: state tables, the window of a hand-off, the two positive facts of an intake. No IO.

A hand-off here is what the case-management agency did. What it was called for is the caller's record and lies beside
it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.shared.errors import LeadError, Violation, aborted, failed_precondition, invalid

OPEN = ("REQUESTED", "ACCEPTED", "ARRIVED")

# Move -> states from which it is legal -> state afterwards.
HANDOFF_MOVES: Mapping[str, Mapping[str, str]] = {
    "accept": {"REQUESTED": "ACCEPTED"},
    "arrive": {"ACCEPTED": "ARRIVED"},
    "complete": {"ARRIVED": "DONE"},
    "fail": dict.fromkeys(OPEN, "FAILED"),
}
PARTICIPANT_MOVES: Mapping[str, Mapping[str, str]] = {"completeIntake": {"INTAKE_PENDING": "ACTIVE"}}

# Matrix row 9: the dispatched agency still sees the request so long after the hand-off ended.
_AFTER_THE_END = timedelta(hours=24)
# Two clocks, each up to five minutes off (contract, Rules).
CLOCK_SLACK = timedelta(minutes=5)
# An intake at the kerb may be over before the hand-off is written down as complete.
INTAKE_SLACK = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """A warm hand-off. `version` counts the agency's own moves; a correction of the request is none."""

    id: str
    subject_id: str
    # Dispatched.
    agency_id: str
    # Called for it: the request is its record.
    source_agency_id: str
    site_id: str
    requested_at: datetime
    called_at: datetime | None = None
    window_ends_at: datetime | None = None
    # End of the referral's intake clock, where its door has one.
    intake_due_at: datetime | None = None
    state: str = "REQUESTED"
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    ended_at: datetime | None = None
    fail_reason: str = ""
    participant_id: str = ""
    version: int = 1
    # When what it says of each category changed last.
    changes: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """The token of this version."""
        return etag_of(self.id, self.version)

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to do something."""
        return self.state in OPEN

    @property
    def minutes(self) -> int | None:
        """Whole minutes from the officer's call to the arrival; None before it, or when the call was not told."""
        if self.arrived_at is None or self.called_at is None:
            return None
        return max(0, int((self.arrived_at - self.called_at).total_seconds() // 60))

    @property
    def closes_at(self) -> datetime | None:
        """When the agency's view of the request ends, as far as it has ended: at once where the person declined."""
        if self.ended_at is None:
            return self.window_ends_at
        if self.fail_reason == "PERSON_DECLINED":
            return self.ended_at
        latest = self.ended_at + _AFTER_THE_END
        return latest if self.window_ends_at is None else min(latest, self.window_ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who it is, as typed or confirmed by the case manager; the birth date may be partial."""

    given_name: str
    family_name: str
    birth_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where the person can be reached."""

    phones: tuple[str, ...] = ()
    address: str = ""
    where_found: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A person who said yes. `subject_id` is the first subject that was linked; the record hangs on it."""

    id: str
    subject_id: str
    agency_id: str
    person: Person
    # When the first hand-off was complete.
    joined_at: datetime
    contact: Contact = Contact()
    safety_flag: bool = False
    state: str = "INTAKE_PENDING"
    intake_due_at: datetime | None = None
    intake_confirmed_at: datetime | None = None
    working_as_of: datetime | None = None
    needs: tuple[str, ...] = ()
    # Account of the case manager.
    case_manager: str = ""
    version: int = 1
    updated_at: datetime | None = None
    # When what it says of each category changed last.
    changes: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """The token of this version."""
        return etag_of(self.id, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was opened of a request: fields of a `HandoffRequest` in proto3 JSON, and when each category changed."""

    facts: Mapping[str, Any]
    changes: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the case manager says when the person came along; None and "" are not said."""

    person: Person | None = None
    contact: Contact | None = None
    participant_id: str = ""
    safety_flag: bool = False


def etag_of(record_id: str, version: int) -> str:
    """Return an opaque token of one version of one record."""
    return hashlib.sha256(f"{record_id}/{version}".encode()).hexdigest()[:20]


def check_etag(given: str, current: str) -> None:
    """Raise ABORTED when the caller read another version. Asked only about records that the caller may see."""
    if given != current:
        raise stale()


def stale() -> LeadError:
    """Return the refusal of a change to what others have changed meanwhile."""
    return aborted("The record has changed since it was read. Read it again.")


def accepted(handoff: Handoff, now: datetime) -> Handoff:
    """A case manager is coming. Raises FAILED_PRECONDITION naming the legal moves, as all moves here do."""
    return _moved(handoff, "accept", accepted_at=now)


def arrived(handoff: Handoff, at: datetime) -> Handoff:
    """The case manager is with the person."""
    after = _moved(handoff, "arrive", arrived_at=at)
    if handoff.called_at is not None and at < handoff.called_at - CLOCK_SLACK:
        raise failed_precondition("BEFORE_THE_CALL", "The arrival cannot be earlier than the call.")
    return after


def completed(handoff: Handoff, now: datetime) -> Handoff:
    """The person came along; as which participant is told next."""
    return _moved(handoff, "complete", ended_at=now)


def failed(handoff: Handoff, reason: str, now: datetime) -> Handoff:
    """The hand-off ended without the person."""
    return _moved(handoff, "fail", ended_at=now, fail_reason=reason)


def joins(handoff: Handoff, said: Completion, participant_id: str, account_id: str, now: datetime) -> Participant:
    """Return the new participant of a completed hand-off. Raises INVALID_ARGUMENT without a name."""
    if said.person is None:
        raise invalid([Violation("person", "must be given")])
    return Participant(
        id=participant_id,
        subject_id=handoff.subject_id,
        agency_id=handoff.agency_id,
        person=said.person,
        joined_at=now,
        contact=said.contact or Contact(),
        safety_flag=said.safety_flag,
        intake_due_at=handoff.intake_due_at,
        case_manager=account_id,
    )


def joins_again(known: Participant, handoff: Handoff, said: Completion) -> Participant:
    """Return a participant who came along once more. What isn't said stays; a safety flag is only ever raised here."""
    dues = [due for due in (known.intake_due_at, handoff.intake_due_at) if due is not None]
    return replace(
        known,
        person=said.person or known.person,
        contact=said.contact or known.contact,
        safety_flag=known.safety_flag or said.safety_flag,
        # The earlier clock runs on; one that was met does not run again.
        intake_due_at=min(dues, default=None) if known.intake_confirmed_at is None else known.intake_due_at,
        version=known.version + 1,
    )


def taken_in(participant: Participant, at: datetime, needs: tuple[str, ...]) -> Participant:
    """Record the intake: confirmed, and working with the person as of then. Raises INVALID_ARGUMENT when too early."""
    state = _after(PARTICIPANT_MOVES, participant.state, "completeIntake", "participant")
    if at < participant.joined_at - INTAKE_SLACK:
        raise invalid([Violation("intakeTime", "a time after the hand-off")])
    return replace(
        participant,
        state=state,
        intake_confirmed_at=at,
        working_as_of=at,
        needs=needs,
        version=participant.version + 1,
    )


def _moved(handoff: Handoff, move: str, **changes: object) -> Handoff:
    state = _after(HANDOFF_MOVES, handoff.state, move, "hand-off")
    return replace(handoff, state=state, version=handoff.version + 1, **changes)  # type: ignore[arg-type]


def _after(table: Mapping[str, Mapping[str, str]], state: str, move: str, what: str) -> str:
    legal = table[move]
    if state not in legal:
        moves = ", ".join(name for name, states in table.items() if state in states) or "nothing"
        raise failed_precondition("ILLEGAL_MOVE", f"The {what} is {state}; what may follow is: {moves}.")
    return legal[state]
