"""A system reports justice events: each is judged by itself, the good ones are stored in groups, then it is declared.

Nothing here asks who the person is, so that neither answer, time, log nor feed can depend on whether somebody matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lead.referral.v1 import justice_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service
from sqlalchemy import Connection

from services.referral.handlers.desk import Desk, busy
from services.referral.justice import convert, declare, store, validate
from services.referral.justice.domain import Plan, Sent, planned
from services.referral.justice.feed import Declaration, Feed
from services.referral.justice.result import Recorded, Result
from services.referral.models import IDEMPOTENCY
from services.referral.store import ChangedMeanwhileError
from services.shared.area import Fact
from services.shared.db.idempotency import Key
from services.shared.errors import Violation
from services.shared.sharing.assertion import Caller
from services.shared.wire import moment

# One lease of keys, one transaction, one sync to disk.
_TOGETHER = 200
# Each attempt works from what the quicker call left behind.
_ATTEMPTS = 5

_REFUSED = {
    "VERSION_REUSED": Violation("source.version", "VERSION_REUSED: a higher one, since the body has changed"),
    "UNKNOWN_RECORD": Violation("source.recordId", "UNKNOWN_RECORD: a record that was sent before"),
}
_STALE = Violation("source.version", "STALE: a higher version of this record is held")
_AHEAD = Violation("time", "kept; it is later than completeThrough and counts when a declaration reaches it")
_BEHIND = Violation("time", "kept; it came late, for a time that was declared complete before")


@dataclass(frozen=True, slots=True)
class Row:
    """One event of a request: what its sender means, or what is wrong with it."""

    draft: pb.JusticeEventDraft
    sent: Sent | None
    violations: tuple[Violation, ...] = ()


def record(desk: Desk, caller: Caller, request: service.RecordJusticeEventsRequest, key: Key | None) -> Recorded:
    """Take in what a system reports, after which all of it is durable; sent again it changes nothing.

    A repeated call, by its idempotency key, is answered from what it finds and declares nothing anew. Raises
    INVALID_ARGUMENT for a request that is wrong as a whole or whose declaration goes back: then nothing is stored.
    """
    validate.reporter(caller)
    now, agency_id = desk.clock.now(), caller.agency_id
    declaration = validate.requested(request, now)
    with desk.db.read() as connection:
        is_repeat = key is not None and key.find(connection, IDEMPOTENCY, now) is not None
        feed = store.feed_of(connection, agency_id)
    if is_repeat:
        declaration, key = None, None
    declare.check(feed, declaration)
    site_ids = desk.directory.site_ids(agency_id)
    results = [
        _result(row, plan, feed, declaration)
        for batch in batches(_row(desk, agency_id, draft, now) for draft in request.events)
        for row, plan in _stored(desk, agency_id, site_ids, batch)
    ]
    is_whole = not any(map(_is_missing, results))
    feed, note = declare.declare(desk, agency_id, site_ids, declaration, key, is_whole=is_whole)
    return Recorded(tuple(results), feed, note)


def batches(rows: Iterable[Row], most: int = _TOGETHER) -> Iterator[list[Row]]:
    """Cut rows into groups of at most `most`, and where a natural key comes again: it is judged by what it left."""
    batch: list[Row] = []
    keys: set[bytes] = set()
    for row in rows:
        key = None if row.sent is None else row.sent.key
        if len(batch) == most or key in keys:
            yield batch
            batch, keys = [], set()
        batch.append(row)
        if key is not None:
            keys.add(key)
    if batch:
        yield batch


def _is_missing(result: Result) -> bool:
    # What was never sent and is taken back is missing nowhere.
    return result.outcome == "REJECTED" and _REFUSED["UNKNOWN_RECORD"] not in result.violations


def _row(desk: Desk, agency_id: str, draft: pb.JusticeEventDraft, now: datetime) -> Row:
    wrong = tuple(validate.event(draft, now))
    return Row(draft, None if wrong else convert.sent_from_wire(draft, agency_id, desk.keyed), wrong)


def _stored(
    desk: Desk, agency_id: str, site_ids: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[Row, Plan | None]]:
    """Store a group of events with distinct keys; yields each with what became of it, None where it is wrong."""
    plans = iter(_committed(desk, agency_id, site_ids, [row for row in rows if row.sent is not None]))
    return ((row, None if row.sent is None else next(plans)) for row in rows)


def _committed(desk: Desk, agency_id: str, site_ids: Sequence[str], rows: Sequence[Row]) -> list[Plan]:
    sent = [row.sent for row in rows if row.sent is not None]
    for _ in range(_ATTEMPTS):
        with desk.db.read() as connection:
            held = store.held(connection, agency_id, [each.key for each in sent]) if sent else {}
        plans = [planned(held.get(each.key), each, desk.ids.new) for each in sent]
        changes = [(row, plan) for row, plan in zip(rows, plans, strict=True) if plan.changes]
        if not changes:
            return plans

        def write(connection: Connection, plans: Sequence[Plan] = plans) -> None:
            store.save(connection, agency_id, plans, desk.clock.now())

        try:
            desk.commit([_fact(desk, agency_id, site_ids, row, plan) for row, plan in changes], write)
            return plans
        except ChangedMeanwhileError:
            continue
    raise busy()


def _fact(desk: Desk, agency_id: str, site_ids: Sequence[str], row: Row, plan: Plan) -> Fact:
    after = plan.after
    assert after is not None  # noqa: S101 - what changes is there
    return Fact(
        message=convert.reported(row.draft, agency_id, site_ids, desk.keyed),
        record_id=after.id,
        subject_id=after.subject_id,
        source_agency_id=agency_id,
        version=after.revision,
    )


def _result(row: Row, plan: Plan | None, feed: Feed | None, declaration: Declaration | None) -> Result:
    if plan is None:
        named = any(each.path.startswith("source.") for each in row.violations)
        return Result("" if named else convert.record_key(row.draft), "REJECTED", violations=row.violations)
    key, event_id = convert.record_key(row.draft), "" if plan.after is None else plan.after.id
    if plan.outcome in _REFUSED:
        return Result(key, "REJECTED", event_id, (_REFUSED[plan.outcome],))
    return Result(key, plan.outcome, event_id, tuple(_explained(row, plan, feed, declaration)))


def _explained(row: Row, plan: Plan, feed: Feed | None, declaration: Declaration | None) -> Iterator[Violation]:
    """Yield what the sender should know of an event that is taken; `feed` is as it was before this request."""
    if plan.outcome == "STALE":
        yield _STALE
    at = moment(row.draft, "time")
    if not plan.changes or plan.outcome == "WITHDRAWN" or at is None:
        return
    if declaration is not None and at > declaration.end:
        yield _AHEAD
    elif plan.before is None and feed is not None and feed.covers(at):
        yield _BEHIND
