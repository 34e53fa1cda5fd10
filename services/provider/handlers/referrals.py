"""Service referrals: asked by a case manager, answered by a provider, each side on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from services.provider import announce, store_referrals, store_services, store_told, vsp
from services.provider.domain import answer as answers
from services.provider.domain import request as requests
from services.provider.domain.answer import Answer
from services.provider.domain.records import ChangedMeanwhileError, Spell, check_etag, stale
from services.provider.domain.request import Request
from services.provider.domain.service import Service, site_for
from services.provider.handlers.desk import Desk
from services.provider.paging import token_of
from services.provider.scope import CASE_ROLES
from services.provider.store_told import Told
from services.shared.area import Fact
from services.shared.db.idempotency import Key
from services.shared.errors import Violation, failed_precondition, invalid, not_found
from services.shared.sharing.assertion import Caller

T = TypeVar("T")
_SERVICE = Violation("serviceId", "a service at one of the own sites")
_PARTICIPANT = Violation("participantId", "a participant of the own caseload")


@dataclass(frozen=True, slots=True)
class Shown:
    """Both sides, and what casework told the caller's agency of the participant."""

    request: Request
    answer: Answer
    told: Sequence[Told] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a case manager asks for."""

    service_id: str
    participant_id: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one side does: the move's name in its state table, and what is said with it."""

    name: str
    reason: str = ""
    hold_until: datetime | None = None


def create(desk: Desk, caller: Caller, asked: Asked, key: Key | None) -> Shown:
    """Ask a provider for a service; a repeat by key gives what stands.

    Raises INVALID_ARGUMENT for a participant or a service that the caller has nothing to do with, and
    `VSP_NO_PERSON_DATA` for a service of a victim-service provider; FAILED_PRECONDITION for one that is closed.
    """
    earlier = desk.earlier(key)
    if earlier:
        return _shown(desk, caller, *_found(desk, caller, earlier))
    service = _service(desk, caller, asked.service_id)
    subject_id, caseload_agency_id = desk.resolve(caller, asked.participant_id)
    is_own = bool(subject_id) and caseload_agency_id == caller.agency_id
    wrong = [*([] if service else [_SERVICE]), *([] if is_own else [_PARTICIPANT])]
    if wrong or service is None:
        raise invalid(wrong)
    _check_takes(service)
    request = _request(desk, caller, service, subject_id, asked)
    answer = _unanswered(request)

    def write(connection: Connection) -> Shown:
        store_referrals.add(connection, request, answer)
        desk.remember(key, request.id)(connection)
        return Shown(request, answer)

    return desk.parts.commit([announce.recorded(request)], write, announce.of_request(request))


def listed(
    desk: Desk, caller: Caller, changed_after: datetime | None, participant_id: str, after: str, size: int
) -> tuple[list[Shown], str]:
    """Return a page of what the caller's agency asked for or is asked for, and the token of the next page."""
    granted = () if caller.role in CASE_ROLES else desk.granted(caller)
    with desk.parts.db.read() as connection:
        found = store_referrals.page(
            connection,
            caller,
            granted,
            changed_after=changed_after,
            participant_id=participant_id,
            after=after,
            limit=size + 1,
        )
        told = store_told.parts(connection, [request for request, _ in found], caller.agency_id)
    rows = [Shown(request, answer, told.get(request.id, ())) for request, answer in found[:size]]
    return rows, token_of(rows[-1].request.id) if len(found) > size else ""


def move(desk: Desk, caller: Caller, referral_id: str, etag: str, what: Move) -> Shown:
    """Move the caller's own side. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION naming the legal moves."""
    request, answer = _found(desk, caller, referral_id)
    if caller.role in CASE_ROLES:
        check_etag(etag, request.etag)
        return _ask(desk, request, answer, what)
    check_etag(etag, answer.etag)
    return _answer(desk, caller, request, answer, what)


def _ask(desk: Desk, request: Request, answer: Answer, what: Move) -> Shown:
    after = requests.moved(request, what.name, desk.now(), what.reason)

    def write(connection: Connection) -> Shown:
        # Read inside the transaction, so that lists by time of change miss nothing that commits late.
        stored = replace(after, changed_at=desk.now())
        store_referrals.save_request(connection, request, stored)
        return Shown(stored, answer)

    return _commit(desk, announce.recorded(after), write)


def _answer(desk: Desk, caller: Caller, request: Request, answer: Answer, what: Move) -> Shown:
    after = answers.moved(answer, request, what.name, desk.now(), reason=what.reason, hold_until=what.hold_until)

    def write(connection: Connection) -> Shown:
        now_asked = store_referrals.again(connection, request.id) or request
        answers.check_asked(now_asked, answer, what.name)
        stored = replace(after, changed_at=desk.now())
        store_referrals.save_answer(connection, answer, stored)
        told = store_told.parts(connection, [now_asked], caller.agency_id)
        return Shown(now_asked, stored, told.get(request.id, ()))

    return _commit(desk, announce.answered(after, request.subject_id, request.provider_kind), write)


def _commit(desk: Desk, fact: Fact, write: Callable[[Connection], T]) -> T:
    try:
        return desk.parts.commit([fact], write)
    except ChangedMeanwhileError:
        raise stale() from None


def _found(desk: Desk, caller: Caller, referral_id: str) -> tuple[Request, Answer]:
    granted = () if caller.role in CASE_ROLES else desk.granted(caller)
    with desk.parts.db.read() as connection:
        found = store_referrals.find(connection, referral_id, caller, granted)
    if found is None:
        raise not_found()
    return found


def _shown(desk: Desk, caller: Caller, request: Request, answer: Answer) -> Shown:
    with desk.parts.db.read() as connection:
        told = store_told.parts(connection, [request], caller.agency_id)
    return Shown(request, answer, told.get(request.id, ()))


def _service(desk: Desk, caller: Caller, service_id: str) -> Service | None:
    with desk.parts.db.read() as connection:
        found = store_services.find(connection, service_id, caller)
    return found if found is not None and site_for(found, caller.site_ids) else None


def _check_takes(service: Service) -> None:
    if vsp.is_vsp(service.agency_kind):
        raise vsp.refusal(["serviceId", "participantId"])
    if service.state == "CLOSED":
        raise failed_precondition("SERVICE_CLOSED", "This service takes nobody now.")


def _request(desk: Desk, caller: Caller, service: Service, subject_id: str, asked: Asked) -> Request:
    now = desk.now()
    return Request(
        id=desk.parts.ids.new("srf"),
        subject_id=subject_id,
        agency_id=caller.agency_id,
        provider_agency_id=service.agency_id,
        provider_kind=service.agency_kind,
        service_id=service.id,
        site_id=site_for(service, caller.site_ids),
        participant_id=asked.participant_id,
        needs=asked.needs,
        requested_at=now,
        spells=(Spell(state="REQUESTED", since=now),),
        changed_at=now,
    )


def _unanswered(request: Request) -> Answer:
    return Answer(
        referral_id=request.id,
        agency_id=request.provider_agency_id,
        spells=(Spell(state="RECEIVED", since=request.requested_at),),
        changed_at=request.requested_at,
    )
