"""Use cases of review: the queue, one review, a decision. `(desk, caller, command) -> result`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from services.review import basis, domain, received, store
from services.review.convert import Whole, charge_decided
from services.review.domain import Charge, Decision, Review
from services.shared.area import Fact
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.errors import aborted, not_found
from services.shared.ids import Ids, is_id
from services.shared.sharing.assertion import Caller

T = TypeVar("T")


class Commit(Protocol):
    """Makes a change durable and known: `Parts.commit`."""

    def __call__(self, facts: Sequence[Fact], write: Callable[[Connection], T]) -> T:
        """Seal, write, put the events into the outbox, commit. Raises LeadError when no keys can be had."""
        ...


@dataclass(frozen=True)
class Desk:
    """The parts of the running area, as use cases need them."""

    db: Database
    commit: Commit
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a prosecutor decides about one charge, having read the review under this etag."""

    review_id: str
    charge_id: str
    value: str
    reason: str
    note: str
    defer_until: datetime | None
    etag: str


def listed(
    desk: Desk, caller: Caller, narrowed: store.Filter, after: store.Place | None, size: int
) -> tuple[list[Whole], store.Place | None]:
    """Return a page of the office's queue, and the place to go on from while there may be more."""
    now = desk.clock.now()
    with desk.db.read() as connection:
        found = store.page(connection, caller, narrowed, after, size + 1, now)
        rows = found[:size]
        return _whole(connection, rows, now), store.place_of(rows[-1]) if len(found) > size else None


def get(desk: Desk, caller: Caller, review_id: str) -> Whole:
    """Return one review of the office. Raises NOT_FOUND, with one answer for absent and withheld (P2-02)."""
    with desk.db.read() as connection:
        return _whole(connection, [_find(connection, caller, review_id)], desk.clock.now())[0]


def decide(desk: Desk, caller: Caller, verdict: Verdict) -> Whole:
    """Decide one charge and freeze what the decision rests on.

    Raises NOT_FOUND, ABORTED on a stale etag, FAILED_PRECONDITION `ILLEGAL_MOVE`.
    """
    now = desk.clock.now()
    with desk.db.read() as connection:
        before = _find(connection, caller, verdict.review_id)
        charge = before.charge(verdict.charge_id)
        if charge is None:
            raise not_found()
        domain.check_etag(verdict.etag, before)
        domain.check_move(before, charge, verdict.value)
        known = received.confirmations(connection, [before]).get(before.id)
    rests_on = basis.frozen(desk.ids.new("bas"), before, charge, known, now)
    decision = _decision(verdict, charge, caller, rests_on, now)
    after = _with_decision(before, charge, decision)

    def write(connection: Connection) -> Whole:
        try:
            store.save(connection, before, after, now)
        except store.ChangedMeanwhileError:
            raise aborted("The review has changed since it was read. Read it again.") from None
        store.add_decision(connection, before.id, charge.id, decision, rests_on)
        return _whole(connection, [replace(after, updated_at=now)], now)[0]

    return desk.commit([_fact(after, charge.id, decision)], write)


def _find(connection: Connection, caller: Caller, review_id: str) -> Review:
    found = store.find(connection, review_id, caller) if is_id(review_id, "rev") else None
    if found is None:
        raise not_found()
    return found


def _whole(connection: Connection, reviews: Sequence[Review], now: datetime) -> list[Whole]:
    confirmed = received.confirmations(connection, reviews)
    changes = store.changes(connection, [review.id for review in reviews])
    return [Whole(review, confirmed.get(review.id), now, changes.get(review.id)) for review in reviews]


def _decision(verdict: Verdict, charge: Charge, caller: Caller, rests_on: basis.Basis, now: datetime) -> Decision:
    return Decision(
        number=1 if charge.decision is None else charge.decision.number + 1,
        value=verdict.value,
        decided_at=now,
        decided_by=caller.account_id,
        reason=verdict.reason,
        note=verdict.note,
        defer_until=verdict.defer_until,
        basis_digest=rests_on.digest,
    )


def _with_decision(review: Review, charge: Charge, decision: Decision) -> Review:
    changed = replace(charge, decision=decision)
    charges = tuple(changed if each.id == charge.id else each for each in review.charges)
    return replace(review, charges=charges, version=review.version + 1)


def _fact(review: Review, charge_id: str, decision: Decision) -> Fact:
    return Fact(
        message=charge_decided(review, charge_id, decision),
        record_id=charge_id,
        subject_id=review.subject_id,
        source_agency_id=review.office_id,
        version=decision.number,
    )
