"""Queries on reviews: a connection in, domain objects out. Rows are those of the caller's own office."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lead.review.v1 import review_pb2 as pb
from sqlalchemy import ColumnElement, Connection, and_, delete, false, insert, not_, or_, select, true, update

from services.review.basis import Basis
from services.review.convert import Whole, review_to_wire
from services.review.domain import Charge, ChargeFacts, Decision, Review
from services.review.models import CHARGES, DECISIONS, REVIEWS
from services.review.stored import facts_from_json, facts_to_json, screening_from_json, screening_to_json
from services.shared.changes import Changes
from services.shared.sharing.assertion import Caller

# Where no clock runs, a review is due after all others.
FAR = datetime(9999, 12, 31, tzinfo=UTC)
Place = tuple[datetime, str]
"""Due time and id of a review: its place in the queue."""

_STANDING = (
    "number",
    "value",
    "reason",
    "note",
    "defer_until",
    "decided_at",
    "decided_by",
    "basis_digest",
)


class ChangedMeanwhileError(Exception):
    """Another call was quicker: the review is not what the change was worked out from."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; None and "" narrow nothing."""

    state: str = ""
    due_before: datetime | None = None


def find(connection: Connection, review_id: str, caller: Caller) -> Review | None:
    """Return a review of the caller's office."""
    found = _load(connection, REVIEWS.c.id == review_id, own_office(caller))
    return found[0] if found else None


def page(
    connection: Connection, caller: Caller, narrowed: Filter, after: Place | None, limit: int, now: datetime
) -> list[Review]:
    """Return at most `limit` reviews of the caller's office behind a place, by due time and id."""
    conditions = [own_office(caller)]
    if narrowed.state:
        conditions.append(in_state(narrowed.state, now))
    if narrowed.due_before is not None:
        conditions.append(REVIEWS.c.due_at < narrowed.due_before)
    if after is not None:
        same_time = and_(REVIEWS.c.due_at == after[0], REVIEWS.c.id > after[1])
        conditions.append(or_(REVIEWS.c.due_at > after[0], same_time))
    return _load(connection, *conditions, limit=limit)


def place_of(review: Review) -> Place:
    """Return where a review stands in the queue."""
    return review.facts.due_time or FAR, review.id


def own_office(caller: Caller) -> ColumnElement[bool]:
    """Return the condition on `reviews` that holds the caller's rows: only a prosecutor has any."""
    if caller.role != "prosecutor" or caller.agency_kind != "prosecutor" or not caller.agency_id:
        return false()
    return REVIEWS.c.office_id == caller.agency_id


def in_state(state: str, now: datetime) -> ColumnElement[bool]:
    """Return the condition that holds the reviews in that state at that time, as `Review.state` says."""
    table = REVIEWS.c
    is_decided = and_(table.undecided == 0, table.decided > 0)
    is_withdrawn = and_(not_(is_decided), or_(table.is_withdrawn, table.undecided == 0))
    is_held = and_(table.undecided > 0, not_(table.is_withdrawn))
    conditions: Mapping[str, ColumnElement[bool]] = {
        "DECIDED": is_decided,
        "WITHDRAWN": is_withdrawn,
        "RUN_OUT": and_(is_held, table.due_at <= now),
        "OPEN": and_(is_held, table.due_at > now),
    }
    return conditions.get(state, false())


def of_referral(connection: Connection, referral_id: str) -> list[Review]:
    """Return the reviews of a referral at all offices, locked for the rest of the transaction."""
    return _load(connection, REVIEWS.c.referral_id == referral_id, locks=True)


def of_office(connection: Connection, referral_id: str, office_id: str) -> Review | None:
    """Return an office's review of a referral, locked for the rest of the transaction."""
    found = _load(connection, REVIEWS.c.referral_id == referral_id, REVIEWS.c.office_id == office_id, locks=True)
    return found[0] if found else None


def add(connection: Connection, review: Review, now: datetime) -> None:
    """Store a new review."""
    connection.execute(insert(REVIEWS).values(_row(review, now, Changes(now))))
    _put_charges(connection, review, (), now)


def save(connection: Connection, before: Review, after: Review, now: datetime) -> None:
    """Store a review if it changed. Raises ChangedMeanwhileError when it is not what it was before."""
    if after is before:
        return
    known = changes(connection, [before.id]).get(before.id, Changes(now))
    row = _row(after, now, known.moved(_own(before, now), _own(after, now), now))
    same = and_(REVIEWS.c.id == before.id, REVIEWS.c.version == before.version)
    if not connection.execute(update(REVIEWS).where(same).values(row)).rowcount:
        raise ChangedMeanwhileError
    if before.charges != after.charges:
        connection.execute(delete(CHARGES).where(CHARGES.c.review_id == before.id))
        _put_charges(connection, after, before.charges, now)


def changes(connection: Connection, review_ids: Collection[str]) -> Mapping[str, Changes]:
    """Return when what each review itself says of each category changed last, by id."""
    table = REVIEWS.c
    query = select(table.id, table.changes, table.version, table.updated_at).where(table.id.in_(review_ids))
    return {row.id: Changes.from_json(row.changes, row.version, row.updated_at) for row in connection.execute(query)}


def _own(review: Review, now: datetime) -> pb.Review:
    # A confirmation is another agency's record, with a time of its own.
    return review_to_wire(Whole(review, None, now))


def add_decision(connection: Connection, review_id: str, charge_id: str, decision: Decision, basis: Basis) -> None:
    """Store a decision with what it rests on."""
    values = {name: getattr(decision, name) for name in _STANDING}
    connection.execute(insert(DECISIONS).values(review_id=review_id, charge_id=charge_id, basis=basis.text, **values))


def _put_charges(connection: Connection, review: Review, before: Iterable[Charge], now: datetime) -> None:
    sent = {charge.id: charge for charge in before}
    rows = [
        {
            "review_id": review.id,
            "charge_id": charge.id,
            "position": position,
            "facts": {name: getattr(charge.facts, name) for name in ChargeFacts.__dataclass_fields__},
            "is_referred": charge.is_referred,
            "changed_at": _changed_at(sent.get(charge.id), charge, now),
        }
        for position, charge in enumerate(review.charges)
    ]
    if rows:
        connection.execute(insert(CHARGES), rows)


def _changed_at(before: Charge | None, after: Charge, now: datetime) -> datetime | None:
    if before is None or (before.facts, before.is_referred) != (after.facts, after.is_referred):
        return now
    return before.changed_at


def _row(review: Review, now: datetime, changed: Changes) -> dict[str, Any]:
    return {
        "id": review.id,
        "office_id": review.office_id,
        "referral_id": review.referral_id,
        "subject_id": review.subject_id,
        "source_agency_id": review.source_agency_id,
        "referral_version": review.referral_version,
        "facts": facts_to_json(review.facts),
        "screening": screening_to_json(review.screening),
        "due_at": review.facts.due_time or FAR,
        "undecided": review.undecided,
        "decided": review.decided,
        "is_withdrawn": review.is_withdrawn,
        "version": review.version,
        "updated_at": now,
        "changes": changed.to_json(review.version),
    }


def _load(
    connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None, locks: bool = False
) -> list[Review]:
    query = select(REVIEWS).where(true(), *conditions).order_by(REVIEWS.c.due_at, REVIEWS.c.id).limit(limit)
    if locks:
        query = query.with_for_update()
    rows = connection.execute(query).mappings().all()
    charges = _charges(connection, [row["id"] for row in rows])
    return [_review(row, charges.get(row["id"], ())) for row in rows]


def _charges(connection: Connection, review_ids: Sequence[str]) -> dict[str, list[Charge]]:
    decisions = _decisions(connection, review_ids)
    query = select(CHARGES).where(CHARGES.c.review_id.in_(review_ids)).order_by(CHARGES.c.position)
    found: dict[str, list[Charge]] = {}
    for row in connection.execute(query).mappings():
        decision = decisions.get((row["review_id"], row["charge_id"]))
        charge = Charge(
            facts=ChargeFacts(**row["facts"]),
            decision=decision,
            is_referred=row["is_referred"],
            changed_at=row["changed_at"],
        )
        found.setdefault(row["review_id"], []).append(charge)
    return found


def _decisions(connection: Connection, review_ids: Collection[str]) -> dict[tuple[str, str], Decision]:
    """Return the newest decision of each charge; its basis stays where it is."""
    table = DECISIONS.c
    columns = [table.review_id, table.charge_id, *(table[name] for name in _STANDING)]
    query = select(*columns).where(table.review_id.in_(review_ids)).order_by(table.number)
    return {
        (row["review_id"], row["charge_id"]): Decision(**{name: row[name] for name in _STANDING})
        for row in connection.execute(query).mappings()
    }


def _review(row: Mapping[Any, Any], charges: Sequence[Charge]) -> Review:
    facts = facts_from_json(row["facts"])
    if facts is None:
        raise ValueError("a review has facts")
    return Review(
        id=row["id"],
        office_id=row["office_id"],
        referral_id=row["referral_id"],
        subject_id=row["subject_id"],
        source_agency_id=row["source_agency_id"],
        referral_version=row["referral_version"],
        facts=facts,
        screening=screening_from_json(row["screening"]),
        charges=tuple(charges),
        is_withdrawn=row["is_withdrawn"],
        version=row["version"],
        updated_at=row["updated_at"],
    )
