"""The provider's side of a service referral, from ENROLLED on in step with the enrolment. No IO."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.provider.domain.enrolment import Enrolment
from services.provider.domain.records import Moves, Spell, after, entered, etag_of, illegal
from services.provider.domain.request import Request

ANSWER_MOVES: Moves = {
    "offer": {"RECEIVED": "OFFERED", "WAITLISTED": "OFFERED"},
    "accept": dict.fromkeys(("RECEIVED", "WAITLISTED", "OFFERED"), "ACCEPTED"),
    "waitlist": {"RECEIVED": "WAITLISTED", "OFFERED": "WAITLISTED"},
    "decline": dict.fromkeys(("RECEIVED", "WAITLISTED", "OFFERED"), "DECLINED"),
}
# Nobody waits for an answer any more: all that is left to say is no.
_WHEN_OVER = "decline"
_BY_ENROLMENT = {
    "ENROLLED": "ENROLLED",
    "ACTIVE": "ENROLLED",
    "COMPLETED": "COMPLETED",
    "DISCONTINUED": "DISCONTINUED",
    "TRANSFERRED": "TRANSFERRED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider says to a service referral. It is there from the start, when it says nothing yet."""

    referral_id: str
    # The provider: it is its record.
    agency_id: str
    state: str = "RECEIVED"
    decline_reason: str = ""
    hold_until: datetime | None = None
    enrollment_id: str = ""
    spells: tuple[Spell, ...] = ()
    version: int = 1
    changed_at: datetime

    @property
    def etag(self) -> str:
        """The token of this version of the provider's side; tells nothing of the other side."""
        return etag_of(f"{self.referral_id}/answer", self.version)


def moved(
    answer: Answer,
    request: Request,
    move: str,
    now: datetime,
    *,
    reason: str = "",
    hold_until: datetime | None = None,
) -> Answer:
    """Return the answer after a move of the provider. Raises FAILED_PRECONDITION naming the legal ones."""
    check_asked(request, answer, move)
    state = after(ANSWER_MOVES, answer.state, move, "answer")
    return _in_state(replace(answer, decline_reason=reason, hold_until=hold_until), state, now)


def check_asked(request: Request, answer: Answer, move: str) -> None:
    """Refuse every move but a decline once the service is no longer asked for."""
    if request.is_over and move != _WHEN_OVER:
        legal = [_WHEN_OVER] if answer.state in ANSWER_MOVES[_WHEN_OVER] else []
        raise illegal("service referral", request.state, legal)


def following(answer: Answer, enrolment: Enrolment, now: datetime) -> Answer:
    """Return the answer in step with an enrolment; the same one, version and all, when nothing changes in it."""
    state = _BY_ENROLMENT[enrolment.status]
    if (answer.state, answer.enrollment_id) == (state, enrolment.id):
        return answer
    told = replace(answer, enrollment_id=enrolment.id, decline_reason="", hold_until=None)
    return _in_state(told, state, now)


def _in_state(answer: Answer, state: str, now: datetime) -> Answer:
    return replace(
        answer,
        state=state,
        spells=entered(answer.spells, state, now),
        version=answer.version + 1,
        changed_at=now,
    )
