"""Use cases: work a hand-off, list and show participants, complete an intake.

Visibility first, then the etag, then the move. What may be read of a record is the gateway's to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from services.casework import announce, convert, domain, store, store_participants
from services.casework.age import old_enough
from services.casework.domain import Completion, Handoff, Participant, Told, check_etag, stale
from services.casework.index import hearing
from services.casework.paging import Place, token_of
from services.shared.area import Fact, Parts
from services.shared.errors import Violation, failed_precondition, invalid, not_found
from services.shared.sharing.assertion import Caller


@dataclass(frozen=True, slots=True)
class Shown:
    """A hand-off, its site's target, and what was opened of its request."""

    handoff: Handoff
    target_minutes: int | None
    request: Told | None


def list_handoffs(parts: Parts, caller: Caller, state: str, after: Place | None, size: int) -> tuple[list[Shown], str]:
    """Return a page of the agency's hand-offs, open ones first, and the token of the next page, "" at the end."""
    with parts.db.read() as connection:
        # One more than asked for tells whether there is a next page.
        found = store.page(connection, caller, state, after, size + 1)
        rows = _shown(parts, connection, found[:size])
    if len(found) <= size:
        return rows, ""
    last = found[size - 1]
    return rows, token_of((not last.is_open, last.requested_at, last.id))


def accept(parts: Parts, caller: Caller, handoff_id: str, etag: str) -> Shown:
    """A case manager is coming. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION."""
    before = _held(parts, caller, handoff_id, etag)
    return _stored(parts, before, domain.accepted(before, parts.clock.now()))


def arrive(parts: Parts, caller: Caller, handoff_id: str, etag: str, at: datetime | None) -> Shown:
    """The case manager is with the person. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION."""
    before = _held(parts, caller, handoff_id, etag)
    after = domain.arrived(before, at or parts.clock.now())
    return _stored(parts, before, after, facts=announce.measured(after, _target(parts, after)))


def fail(parts: Parts, caller: Caller, handoff_id: str, etag: str, reason: str) -> Shown:
    """The hand-off ended without the person. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION.

    Nobody is told but consent, which ends the agency's view of the request.
    """
    before, now = _held(parts, caller, handoff_id, etag), parts.clock.now()
    after = domain.failed(before, reason, now)
    return _stored(parts, before, after, statements=[announce.of_end(after, now)])


def complete(parts: Parts, caller: Caller, handoff_id: str, etag: str, said: Completion) -> Shown:
    """Make a participant of whoever came along, or link the subject to a known one.

    Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION, and INVALID_ARGUMENT for a participant out of the own caseload or a
    person who is too young for the site.
    """
    before, now = _held(parts, caller, handoff_id, etag), parts.clock.now()
    done = domain.completed(before, now)
    old_enough(said.person, parts.sites.get(done.site_id), now)
    known, is_linked = _known(parts, caller, done.subject_id, said.participant_id)
    if known is None:
        participant = domain.joins(done, said, parts.ids.new("par"), caller.account_id, now)
    else:
        participant = domain.joins_again(known, done, said)
    participant = convert.participant_changed(known, participant, now)
    after = convert.handoff_changed(before, replace(done, participant_id=participant.id), now)

    def write(connection: Connection) -> Shown:
        store.save(connection, before, after)
        store_participants.save(connection, known, participant, parts.clock.now())
        if not is_linked:
            store_participants.link(connection, after.subject_id, participant, caller.account_id, now)
        # Who was found to be the same person follows (`index`).
        hearing.subjects_changed(connection, [after.subject_id, participant.subject_id])
        return _shown(parts, connection, [after])[0]

    # Whoever follows the new referral learns of an intake that was confirmed before it.
    news = [after.subject_id] if participant.intake_confirmed_at is not None else []
    statements = list(announce.of_completion(after, known, participant, caller.account_id, now))
    facts = [*announce.measured(after, _target(parts, after)), announce.recorded(participant)]
    return parts.commit([*facts, *announce.intake_facts(participant, news)], write, statements)


def list_participants(parts: Parts, caller: Caller, after: Place | None, size: int) -> tuple[list[Participant], str]:
    """Return a page of the caller's participants by time of change, and the token of the next page, "" at the end."""
    granted = _granted(parts, caller)
    with parts.db.read() as connection:
        found = store_participants.page(connection, caller, granted, after, size + 1)
    last = found[size - 1] if len(found) > size else None
    token = "" if last is None or last.updated_at is None else token_of((False, last.updated_at, last.id))
    return found[:size], token


def get_participant(parts: Parts, caller: Caller, participant_id: str) -> Participant:
    """Return one participant. Raises NOT_FOUND, with one answer for absent and withheld (P2-02)."""
    return _participant(parts, caller, participant_id, _granted(parts, caller))


def complete_intake(
    parts: Parts, caller: Caller, participant_id: str, etag: str, at: datetime | None, needs: tuple[str, ...]
) -> Participant:
    """Record the intake of somebody of the own caseload, and confirm it to who may know.

    Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION, INVALID_ARGUMENT.
    """
    before, now = _participant(parts, caller, participant_id), parts.clock.now()
    check_etag(etag, before.etag)
    after = convert.participant_changed(before, domain.taken_in(before, at or now, needs), now)
    with parts.db.read() as connection:
        subjects = store_participants.subjects_of(connection, after.id)

    def write(connection: Connection) -> Participant:
        store_participants.save(connection, before, after, parts.clock.now())
        if store_participants.subjects_of(connection, after.id) != subjects:
            # Linked meanwhile, by the answer to a match: who follows that subject must be told too.
            raise stale()
        return after

    return parts.commit([announce.recorded(after), *announce.intake_facts(after, subjects)], write)


def forget_requests(parts: Parts) -> int:
    """Delete requests whose window has closed (matrix row 9); returns how many parts of them."""
    with parts.db.write() as connection:
        return store.forget_requests(connection, parts.clock.now())


def _held(parts: Parts, caller: Caller, handoff_id: str, etag: str) -> Handoff:
    with parts.db.read() as connection:
        found = store.find(connection, handoff_id, caller)
    if found is None:
        raise not_found()
    check_etag(etag, found.etag)
    return found


def _stored(
    parts: Parts,
    before: Handoff,
    after: Handoff,
    *,
    facts: Sequence[Fact] = (),
    statements: Sequence[announce.Statement] = (),
) -> Shown:
    after = convert.handoff_changed(before, after, parts.clock.now())

    def write(connection: Connection) -> Shown:
        store.save(connection, before, after)
        return _shown(parts, connection, [after])[0]

    return parts.commit(facts, write, statements)


def _known(parts: Parts, caller: Caller, subject_id: str, participant_id: str) -> tuple[Participant | None, bool]:
    """Return the participant that a subject is to be linked to, None for a new one, and whether it already is."""
    with parts.db.read() as connection:
        linked = store_participants.linked(connection, subject_id, caller.agency_id)
        named = store_participants.find(connection, participant_id, caller) if participant_id else linked
    if participant_id and named is None:
        raise invalid([Violation("participantId", "a participant of the own caseload")])
    if linked is not None and named is not None and named.id != linked.id:
        raise failed_precondition("LINKED_OTHERWISE", "The referral's person was linked to another participant.")
    return named, linked is not None


def _participant(parts: Parts, caller: Caller, participant_id: str, granted: Collection[str] = ()) -> Participant:
    with parts.db.read() as connection:
        found = store_participants.find(connection, participant_id, caller, granted)
    if found is None:
        raise not_found()
    return found


def _granted(parts: Parts, caller: Caller) -> Collection[str]:
    return () if caller.role == "participant" else parts.consent.granted_subjects(caller)


def _shown(parts: Parts, connection: Connection, handoffs: Sequence[Handoff]) -> list[Shown]:
    told = store.requests(connection, handoffs)
    return [Shown(each, _target(parts, each), told.get(each.id)) for each in handoffs]


def _target(parts: Parts, handoff: Handoff) -> int | None:
    site = parts.sites.get(handoff.site_id)
    return None if site is None else site.clocks.handoff_target_minutes
