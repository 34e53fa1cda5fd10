"""Makes an agency's declaration known: last of a request, when all that it speaks of is durable."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from services.referral.handlers.desk import Desk, busy
from services.referral.justice import convert, store
from services.referral.justice.feed import Declaration, Feed, followed, wrong
from services.referral.models import IDEMPOTENCY
from services.referral.store import ChangedMeanwhileError
from services.shared.area import Fact
from services.shared.db.idempotency import Key
from services.shared.errors import invalid

_ATTEMPTS = 5
# A repeated request is answered from what it finds, so its key stands for no single record.
_KEY_FOR = "justice"

HELD_BACK = "Not declared: events of this request were rejected. Send them again, corrected, with the declaration."
OVERTAKEN = "Not declared: another request has declared further meanwhile."
GAP = (
    "Nothing was declared from the last end to this beginning: it is noted as a gap, which a later declaration closes."
)


def check(feed: Feed | None, declaration: Declaration | None) -> None:
    """Raises INVALID_ARGUMENT for a declaration that does not follow on what was declared before."""
    found = [] if declaration is None else list(wrong(feed, declaration))
    if found:
        raise invalid(found)


def declare(
    desk: Desk,
    agency_id: str,
    site_ids: Sequence[str],
    declaration: Declaration | None,
    key: Key | None,
    *,
    is_whole: bool,
) -> tuple[Feed | None, str]:
    """Store and announce a declaration, and keep the request's idempotency key; returns the feed and a note on it.

    Where an event was rejected the feed is not complete (`is_whole`), and nothing is declared.
    """
    for _ in range(_ATTEMPTS):
        with desk.db.read() as connection:
            before = store.feed_of(connection, agency_id)
        after, note = _after(desk, agency_id, before, declaration, is_whole=is_whole)
        if after is before and key is None:
            return before, note
        try:
            _commit(desk, site_ids, before, after, key)
            return after, note
        except ChangedMeanwhileError:
            continue
    raise busy()


def _after(
    desk: Desk, agency_id: str, before: Feed | None, declaration: Declaration | None, *, is_whole: bool
) -> tuple[Feed | None, str]:
    if declaration is None:
        return before, ""
    if not is_whole:
        return before, HELD_BACK
    if any(wrong(before, declaration)):
        # It was right when the request came.
        return before, OVERTAKEN
    after = followed(agency_id, before, declaration, desk.ids.new)
    begin = declaration.begin
    return after, GAP if before is not None and begin is not None and begin > before.span.end else ""


def _commit(desk: Desk, site_ids: Sequence[str], before: Feed | None, after: Feed | None, key: Key | None) -> None:
    def write(connection: Connection) -> None:
        if after is not None and after is not before:
            store.save_feed(connection, before, after)
        if key is not None:
            key.remember(connection, IDEMPOTENCY, _KEY_FOR, desk.clock.now())

    desk.commit([] if after is None or after is before else [_fact(after, site_ids)], write)


def _fact(feed: Feed, site_ids: Sequence[str]) -> Fact:
    return Fact(
        message=convert.declared(feed, site_ids),
        record_id=feed.id,
        subject_id=feed.subject_id,
        source_agency_id=feed.agency_id,
        version=feed.revision,
    )
