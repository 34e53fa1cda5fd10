"""Enrolments one by one: record, list, show, change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lead.provider.v1 import provider_pb2 as pb
from sqlalchemy import Connection

from services.provider import store_enrolments, validate
from services.provider.domain import enrolment as enrolments
from services.provider.domain.enrolment import Attendance, Enrolment
from services.provider.domain.records import ChangedMeanwhileError, check_etag, stale
from services.provider.enrolling import Outcome
from services.provider.handlers import recording
from services.provider.handlers.desk import Desk
from services.provider.paging import token_of
from services.shared.db.idempotency import Key
from services.shared.errors import Code, LeadError, Violation, already_exists, invalid, not_found
from services.shared.sharing.assertion import Caller


@dataclass(frozen=True, slots=True)
class Shown:
    """An enrolment with its days."""

    enrolment: Enrolment
    days: Sequence[Attendance] = ()


def create(desk: Desk, caller: Caller, draft: pb.EnrollmentDraft, key: Key | None) -> Shown:
    """Record one enrolment; a repeat, by key or by natural key, gives the one that stands.

    Raises INVALID_ARGUMENT, ALREADY_EXISTS `VERSION_REUSED` and ABORTED `STALE_VERSION`.
    """
    earlier = desk.earlier(key)
    if earlier:
        return shown(desk, _own(desk, caller, earlier))
    wrong = validate.draft(draft, desk.now())

    def settle(connection: Connection, outcomes: Sequence[Outcome]) -> None:
        for each in outcomes:
            desk.remember(key, _result(each, wrong).id)(connection)

    (outcome,) = recording.record(desk, caller, [recording.sent(desk, caller, draft, wrong)], settle)
    return shown(desk, _result(outcome, wrong))


def listed(
    desk: Desk, caller: Caller, changed_after: datetime | None, participant_id: str, after: str, size: int
) -> tuple[list[Shown], str]:
    """Return a page of the caller's enrolments in order of ids, and the token of the next page, "" at the end."""
    granted = desk.granted(caller)
    with desk.parts.db.read() as connection:
        found = store_enrolments.page(
            connection,
            caller,
            granted,
            changed_after=changed_after,
            participant_id=participant_id,
            after=after,
            limit=size + 1,
        )
        days = store_enrolments.attendance(connection, [each.id for each in found[:size]])
    rows = [Shown(each, days.get(each.id, ())) for each in found[:size]]
    return rows, token_of(rows[-1].enrolment.id) if len(found) > size else ""


def get(desk: Desk, caller: Caller, enrolment_id: str) -> Shown:
    """Return one enrolment. Raises NOT_FOUND, with one answer for absent and withheld (P2-02)."""
    granted = desk.granted(caller)
    with desk.parts.db.read() as connection:
        found = store_enrolments.find(connection, enrolment_id, caller, granted)
    if found is None:
        raise not_found()
    return shown(desk, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a provider changes of an enrolment; "" and None stay as they were."""

    status: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


def update(desk: Desk, caller: Caller, enrolment_id: str, etag: str, change: Change) -> Shown:
    """Change an enrolment with the own agency. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION, INVALID_ARGUMENT."""
    before = _own(desk, caller, enrolment_id)
    check_etag(etag, before.etag)
    after = enrolments.changed(before, change.status, change.started_at, change.ended_at, desk.now())
    if after is before:
        return shown(desk, before)
    try:
        return shown(desk, recording.save(desk, before, after))
    except ChangedMeanwhileError:
        raise stale() from None


def shown(desk: Desk, enrolment: Enrolment) -> Shown:
    """Return an enrolment with its days."""
    with desk.parts.db.read() as connection:
        days = store_enrolments.attendance(connection, [enrolment.id])
    return Shown(enrolment, days.get(enrolment.id, ()))


def _own(desk: Desk, caller: Caller, enrolment_id: str) -> Enrolment:
    with desk.parts.db.read() as connection:
        found = store_enrolments.own(connection, enrolment_id, caller.agency_id)
    if found is None:
        raise not_found()
    return found


def _result(outcome: Outcome, wrong: Sequence[Violation]) -> Enrolment:
    """Return the enrolment that stands. Raises what a single call is told when it is not what was meant."""
    if wrong or outcome.enrolment is None:
        told = {each.path for each in wrong}
        raise invalid([*wrong, *(each for each in outcome.violations if each.path not in told)])
    if outcome.word == "STALE":
        raise LeadError(Code.ABORTED, "STALE_VERSION", "A higher version of this record is held, or a later one.")
    if any(each.wish.startswith("VERSION_REUSED") for each in outcome.violations):
        raise already_exists("VERSION_REUSED", "This version of the record was sent before, with another body.")
    if outcome.violations:
        raise invalid(outcome.violations)
    return outcome.enrolment
