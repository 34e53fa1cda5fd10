"""Records that providers send, one or many: look them up, work out what becomes of them, store and announce."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from lead.provider.v1 import provider_pb2 as pb
from sqlalchemy import Connection

from services.provider import announce, store_enrolments, store_referrals, store_services
from services.provider.convert_enrolment import draft_from_wire
from services.provider.domain import answer as answers
from services.provider.domain.answer import Answer
from services.provider.domain.enrolment import Enrolment
from services.provider.domain.records import ChangedMeanwhileError
from services.provider.domain.request import Request
from services.provider.enrolling import Book, Known, Outcome, Provider, Sent
from services.provider.handlers.desk import Desk
from services.shared.area import Fact
from services.shared.errors import Violation, aborted
from services.shared.sharing.assertion import Caller

Answered = tuple[Request, Answer, Answer]
"""A service referral whose answer follows an enrolment: the request, the answer before and after."""
Also = Callable[[Connection, Sequence[Outcome]], None]
"""What else belongs into the transaction; it may refuse by raising, and then nothing is stored."""

# Each attempt works from what the quicker call left behind.
_ATTEMPTS = 5


def sent(desk: Desk, caller: Caller, draft: pb.EnrollmentDraft, wrong: Sequence[Violation] = ()) -> Sent:
    """Return what a draft means; a wrong one needs no more than ids in it."""
    draft.DiscardUnknownFields()
    source = draft.source
    key = desk.secrets.digest("record", caller.agency_id, source.system, source.record_id) if source.record_id else ""
    body = draft.SerializeToString(deterministic=True).hex()
    meant = _named_alone(draft) if wrong else draft
    return Sent(
        draft=draft_from_wire(meant),
        key=key,
        digest=desk.secrets.digest("content", caller.agency_id, body),
        wrong=tuple(wrong),
    )


def record(desk: Desk, caller: Caller, records: Sequence[Sent], also: Also | None = None) -> list[Outcome]:
    """Return what became of each record, in order, after all of them are durable.

    Raises ABORTED when others change the same records all the time, and what `also` raises.
    """
    subject_of = _subjects(desk, caller, records)
    for _ in range(_ATTEMPTS):
        provider = Provider(agency_id=caller.agency_id, agency_kind=caller.agency_kind, subject_of=subject_of)
        book = Book(_known(desk, caller, records), provider, desk.parts.ids.new, desk.now())
        outcomes = [book.put(each) for each in records]
        try:
            return _stored(desk, book, outcomes, also)
        except ChangedMeanwhileError:
            continue
    raise aborted("The record is being changed by others; try again.")


def save(
    desk: Desk, before: Enrolment, after: Enrolment, also: Callable[[Connection], None] = lambda _: None
) -> Enrolment:
    """Store a changed enrolment, with what follows from it, and make it known. Raises ChangedMeanwhileError."""
    answered = list(_following(desk, before, after))

    def write(connection: Connection) -> Enrolment:
        at = desk.now()
        stored = replace(after, changed_at=at)
        store_enrolments.save(connection, before, stored)
        _save_answers(connection, answered, at)
        also(connection)
        return stored

    return desk.parts.commit([announce.enrolled(after), *_answer_facts(answered)], write)


def _following(desk: Desk, before: Enrolment, after: Enrolment) -> list[Answered]:
    with desk.parts.db.read() as connection:
        asked = store_referrals.answered(connection, [after.service_referral_id], after.agency_id)
    pairs = [(request, held) for request, held in asked.values() if held.enrollment_id == before.id]
    moved = [(request, held, answers.following(held, after, desk.now())) for request, held in pairs]
    return [each for each in moved if each[2] is not each[1]]


def _subjects(desk: Desk, caller: Caller, records: Sequence[Sent]) -> Callable[[str], str]:
    """Return who says whose a participant is: what was asked here, else consent, about each one once."""
    wanted = {each.draft.participant_id for each in records if each.draft.participant_id}
    with desk.parts.db.read() as connection:
        here = store_referrals.subjects_of(connection, wanted, caller.agency_id) if wanted else {}
    return cache(lambda participant_id: here.get(participant_id) or desk.resolve(caller, participant_id)[0])


def _known(desk: Desk, caller: Caller, records: Sequence[Sent]) -> Known:
    drafts = [each.draft for each in records]
    named = {each.service_referral_id for each in drafts if each.service_referral_id}
    granted = desk.granted(caller) if named else ()
    with desk.parts.db.read() as connection:
        held = store_enrolments.by_natural_keys(connection, {each.key for each in records if each.key})
        before = {each.service_referral_id for each in held.values() if each.service_referral_id}
        return Known(
            enrolments=held,
            contents=store_enrolments.contents(connection, [each.id for each in held.values()]),
            services=store_services.own(connection, {each.service_id for each in drafts}, caller.agency_id),
            named=store_referrals.addressed(connection, named, caller, granted),
            asked=store_referrals.answered(connection, named | before, caller.agency_id),
        )


def _stored(desk: Desk, book: Book, outcomes: list[Outcome], also: Also | None) -> list[Outcome]:
    if not book.held and also is None:
        return outcomes

    def write(connection: Connection) -> datetime:
        # Read inside the transaction, so that lists by time of change miss nothing that commits late.
        at = desk.now()
        store_enrolments.add(connection, [(key, replace(each, changed_at=at)) for key, each in book.added])
        for before, after in book.changed:
            store_enrolments.save(connection, before, replace(after, changed_at=at))
        store_enrolments.add_contents(connection, book.contents)
        _save_answers(connection, book.answered, at)
        if also is not None:
            also(connection, outcomes)
        return at

    facts = [announce.enrolled(each) for each in book.held.values()]
    at = desk.parts.commit([*facts, *_answer_facts(book.answered)], write)
    stored = {each.id: replace(each, changed_at=at) for each in book.held.values()}
    return [_as_stored(each, stored) for each in outcomes]


def _as_stored(outcome: Outcome, stored: dict[str, Enrolment]) -> Outcome:
    if outcome.enrolment is None or outcome.enrolment.id not in stored:
        return outcome
    return replace(outcome, enrolment=stored[outcome.enrolment.id])


def _save_answers(connection: Connection, answered: Sequence[Answered], at: datetime) -> None:
    for _, before, after in answered:
        store_referrals.save_answer(connection, before, replace(after, changed_at=at))


def _answer_facts(answered: Sequence[Answered]) -> list[Fact]:
    return [announce.answered(after, request.subject_id, request.provider_kind) for request, _, after in answered]


def _named_alone(draft: pb.EnrollmentDraft) -> pb.EnrollmentDraft:
    """Return a draft of what another one names, so that a wrong one can be looked up as well."""
    named = pb.EnrollmentDraft(
        service_id=draft.service_id,
        service_referral_id=draft.service_referral_id,
        participant_id=draft.participant_id,
    )
    named.start_time.SetInParent()
    return named
