"""Queries on what was sent of justice events and on feeds: a connection in, domain objects out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.referral.justice.domain import Held, Plan
from services.referral.justice.feed import Feed, Stretch
from services.referral.models import JUSTICE_EVENTS, JUSTICE_FEED_GAPS, JUSTICE_FEEDS
from services.referral.store import ChangedMeanwhileError

_HELD = tuple(Held.__dataclass_fields__)


def held(connection: Connection, agency_id: str, keys: Collection[bytes]) -> dict[bytes, Held]:
    """Return what is kept of the agency's events with these keys."""
    table = JUSTICE_EVENTS.c
    query = select(*(table[name] for name in _HELD)).where(table.agency_id == agency_id, table.key.in_(list(keys)))
    return {row["key"]: Held(**row) for row in connection.execute(query).mappings()}


def save(connection: Connection, agency_id: str, plans: Sequence[Plan], now: datetime) -> None:
    """Store what changes. Raises ChangedMeanwhileError when one of them is not what it was before."""
    new = [plan.after for plan in plans if plan.before is None and plan.after is not None]
    if new:
        rows = [{**_values(each), "agency_id": agency_id, "received_at": now, "changed_at": now} for each in new]
        try:
            connection.execute(insert(JUSTICE_EVENTS), rows)
        except IntegrityError:
            # The natural key came in by another call.
            raise ChangedMeanwhileError from None
    for plan in plans:
        if plan.changes and plan.before is not None and plan.after is not None:
            _update(connection, plan.before, plan.after, now)


def _update(connection: Connection, before: Held, after: Held, now: datetime) -> None:
    table = JUSTICE_EVENTS
    same = and_(table.c.id == before.id, table.c.revision == before.revision)
    if not connection.execute(update(table).where(same).values({**_values(after), "changed_at": now})).rowcount:
        raise ChangedMeanwhileError


def _values(event: Held) -> dict[str, Any]:
    return {name: getattr(event, name) for name in _HELD}


def feed_of(connection: Connection, agency_id: str) -> Feed | None:
    """Return the agency's feed as it was declared so far."""
    row: Mapping[str, Any] | None
    query = select(JUSTICE_FEEDS).where(JUSTICE_FEEDS.c.agency_id == agency_id)
    row = connection.execute(query).mappings().one_or_none()  # type: ignore[assignment]
    if row is None:
        return None
    gaps = JUSTICE_FEED_GAPS.c
    inside = select(gaps.from_at, gaps.until_at).where(gaps.agency_id == agency_id).order_by(gaps.from_at)
    return Feed(
        agency_id=agency_id,
        id=row["id"],
        subject_id=row["subject_id"],
        span=Stretch(row["complete_from"], row["complete_through"]),
        gaps=tuple(Stretch(begin, end) for begin, end in connection.execute(inside)),
        revision=row["revision"],
    )


def save_feed(connection: Connection, before: Feed | None, after: Feed) -> None:
    """Store a feed. Raises ChangedMeanwhileError when it is not what it was before."""
    values = {
        "agency_id": after.agency_id,
        "id": after.id,
        "subject_id": after.subject_id,
        "complete_from": after.span.begin,
        "complete_through": after.span.end,
        "revision": after.revision,
    }
    if before is None:
        try:
            connection.execute(insert(JUSTICE_FEEDS).values(values))
        except IntegrityError:
            raise ChangedMeanwhileError from None
    else:
        table = JUSTICE_FEEDS.c
        same = and_(table.agency_id == before.agency_id, table.revision == before.revision)
        if not connection.execute(update(JUSTICE_FEEDS).where(same).values(values)).rowcount:
            raise ChangedMeanwhileError
    _put_gaps(connection, after)


def _put_gaps(connection: Connection, feed: Feed) -> None:
    connection.execute(delete(JUSTICE_FEED_GAPS).where(JUSTICE_FEED_GAPS.c.agency_id == feed.agency_id))
    rows = [{"agency_id": feed.agency_id, "from_at": gap.begin, "until_at": gap.end} for gap in feed.gaps]
    if rows:
        connection.execute(insert(JUSTICE_FEED_GAPS), rows)
