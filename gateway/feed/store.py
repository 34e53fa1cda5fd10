"""Queries of the feed. Functions take a Connection; nothing here decides who may see what.

A lane is one role and purpose of an agency. An event has one pointer per agency that counts in all lanes, and at most
one that counts in its own lane alone, in place of the other: so in each lane every event lies at exactly one place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from gateway.models import FEED, FEED_EVENT, FEED_POINTER, FEED_REFERRAL, FEED_WITHHELD

ALL_LANES = ""
_MANY = 400


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """What the routing section and the envelope of an event say. `happened_at` is aware."""

    event_id: str
    topic: str
    name: str
    record_id: str
    subject_id: str
    source_agency_id: str
    version: int
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Pointer:
    """An event at its place in a lane; `referral_id` is empty while the subject's referral is not known."""

    place: int
    seq: int
    event: FeedEvent
    referral_id: str
    # The lane has passed it over: it comes again at another place, and only there.
    is_noted: bool


def feed_id(connection: Connection, fresh: str) -> str:
    """Return the id of this feed, which is `fresh` when it has none yet. Needs a writing transaction."""
    found = connection.execute(select(FEED.c.id)).scalar()
    if found is None:
        connection.execute(insert(FEED).values(id=fresh))
    return fresh if found is None else str(found)


def hold(connection: Connection) -> None:
    """Let nobody else add to the feed until this transaction ends: who saw a later place must not have missed one."""
    connection.execute(select(FEED.c.id).with_for_update()).all()


def known(connection: Connection, event_ids: Collection[str]) -> set[str]:
    """Return those of the events that are in the feed."""
    query = select(FEED_EVENT.c.event_id).where(FEED_EVENT.c.event_id.in_(event_ids))
    return set(connection.execute(query).scalars())


def add(connection: Connection, event: FeedEvent, now: datetime) -> None:
    """Add an event that is not in the feed, for nobody yet."""
    values = {name: getattr(event, name) for name in FeedEvent.__slots__}
    connection.execute(insert(FEED_EVENT).values(fed_at=now, **values))


def follow(
    connection: Connection, subject_id: str, agency_ids: Iterable[str], since: datetime, now: datetime
) -> set[str]:
    """Give these agencies all events of a subject that they have not, in order; returns whose feed has grown.

    Of what was fed before `since` nobody knows any more who had it: it is left alone.
    """
    about = and_(FEED_EVENT.c.subject_id == subject_id, FEED_EVENT.c.fed_at >= since)
    seqs = connection.execute(select(FEED_EVENT.c.seq).where(about).order_by(FEED_EVENT.c.seq)).scalars()
    have = _pointed_at(connection, subject_id)
    rows = [
        {"agency_id": agency, "lane": ALL_LANES, "event_seq": seq, "fed_at": now}
        for seq in seqs
        for agency in sorted(agency_ids)
        if (seq, agency) not in have
    ]
    if rows:
        connection.execute(insert(FEED_POINTER), rows)
    return {str(row["agency_id"]) for row in rows}


def withhold(connection: Connection, agency_id: str, lane: str, places: Mapping[int, int]) -> None:
    """Note what a lane has passed over, events by their places.

    Once each, and only what still lies there: what was fed again meanwhile is met at its new place.
    """
    seqs = {*places.values()}
    noted = _lane_of(FEED_WITHHELD, agency_id, lane)
    there = set(
        connection.execute(select(FEED_WITHHELD.c.event_seq).where(noted, _among(FEED_WITHHELD, seqs))).scalars()
    )
    newest = _newest_pointers(connection, agency_id, lane, seqs)
    rows = [
        {"agency_id": agency_id, "lane": lane, "event_seq": seq}
        for place, seq in sorted(places.items())
        if seq not in there and newest.get(seq) == place
    ]
    if rows:
        connection.execute(insert(FEED_WITHHELD), rows)


def feed_again(connection: Connection, subject_id: str, now: datetime) -> set[str]:
    """Put what was withheld of a subject at the end of the lanes that passed it over; returns whose feed has grown."""
    query = (
        select(FEED_WITHHELD)
        .join(FEED_EVENT, FEED_EVENT.c.seq == FEED_WITHHELD.c.event_seq)
        .where(FEED_EVENT.c.subject_id == subject_id)
        .order_by(FEED_EVENT.c.seq)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        for table in (FEED_WITHHELD, FEED_POINTER):
            connection.execute(delete(table).where(*(table.c[name] == value for name, value in row.items())))
    if rows:
        connection.execute(insert(FEED_POINTER), [{**row, "fed_at": now} for row in rows])
    return {str(row["agency_id"]) for row in rows}


def page(connection: Connection, agency_id: str, lane: str, after: int, limit: int) -> list[Pointer]:
    """Return the next pointers of a lane behind a place, in order."""
    own = FEED_POINTER.alias()
    instead = exists().where(
        own.c.agency_id == agency_id, own.c.lane == lane, own.c.event_seq == FEED_POINTER.c.event_seq
    )
    noted = and_(FEED_WITHHELD.c.event_seq == FEED_EVENT.c.seq, _lane_of(FEED_WITHHELD, agency_id, lane))
    query = (
        select(
            FEED_POINTER.c.place,
            FEED_EVENT,
            FEED_REFERRAL.c.record_id.label("referral_id"),
            FEED_WITHHELD.c.event_seq.label("noted_seq"),
        )
        .join(FEED_EVENT, FEED_EVENT.c.seq == FEED_POINTER.c.event_seq)
        .outerjoin(FEED_REFERRAL, FEED_REFERRAL.c.subject_id == FEED_EVENT.c.subject_id)
        .outerjoin(FEED_WITHHELD, noted)
        .where(
            FEED_POINTER.c.agency_id == agency_id,
            FEED_POINTER.c.place > after,
            or_(FEED_POINTER.c.lane == lane, and_(FEED_POINTER.c.lane == ALL_LANES, ~instead)),
        )
        .order_by(FEED_POINTER.c.place)
        .limit(limit)
    )
    return [_pointer(row) for row in connection.execute(query)]


def newest_place(connection: Connection) -> int:
    """Return the last place of any feed, 0 before the first."""
    return int(connection.execute(select(func.max(FEED_POINTER.c.place))).scalar() or 0)


def note_referral(connection: Connection, subject_id: str, record_id: str, version: int, now: datetime) -> None:
    """Note which referral a subject came with; an older version changes nothing."""
    here = FEED_REFERRAL.c.subject_id == subject_id
    found = connection.execute(select(FEED_REFERRAL.c.version).where(here)).scalar()
    values = {"record_id": record_id, "version": version, "heard_at": now}
    if found is None:
        connection.execute(insert(FEED_REFERRAL).values(subject_id=subject_id, **values))
    elif version >= found:
        connection.execute(update(FEED_REFERRAL).where(here).values(**values))


def with_referral(connection: Connection, subject_ids: Collection[str]) -> set[str]:
    """Return those of the subjects whose referral is known."""
    query = select(FEED_REFERRAL.c.subject_id).where(FEED_REFERRAL.c.subject_id.in_(subject_ids))
    return set(connection.execute(query).scalars())


def fed_subjects(connection: Connection, subject_ids: Sequence[str]) -> list[str]:
    """Return those of the subjects that the feed has events of."""
    found = set[str]()
    for start in range(0, len(subject_ids), _MANY):
        some = FEED_EVENT.c.subject_id.in_(subject_ids[start : start + _MANY])
        found.update(connection.execute(select(FEED_EVENT.c.subject_id).where(some).distinct()).scalars())
    return sorted(found)


def subjects_after(connection: Connection, subject_id: str, limit: int) -> list[str]:
    """Return the next subjects that the feed has events of, in the order of their ids."""
    behind = select(FEED_EVENT.c.subject_id).where(FEED_EVENT.c.subject_id > subject_id)
    return list(connection.execute(behind.distinct().order_by(FEED_EVENT.c.subject_id).limit(limit)).scalars())


def purge(connection: Connection, before: datetime, referrals_before: datetime) -> None:
    """Delete what was fed before a moment, and referrals that were heard of before another."""
    # The last place stays, so that places go on from it.
    last = select(func.max(FEED_POINTER.c.place)).scalar_subquery()
    connection.execute(delete(FEED_POINTER).where(FEED_POINTER.c.fed_at < before, FEED_POINTER.c.place < last))
    pointed = exists().where(FEED_POINTER.c.event_seq == FEED_EVENT.c.seq)
    connection.execute(delete(FEED_EVENT).where(FEED_EVENT.c.fed_at < before, ~pointed))
    there = exists().where(FEED_EVENT.c.seq == FEED_WITHHELD.c.event_seq)
    connection.execute(delete(FEED_WITHHELD).where(~there))
    connection.execute(delete(FEED_REFERRAL).where(FEED_REFERRAL.c.heard_at < referrals_before))


def _pointed_at(connection: Connection, subject_id: str) -> set[tuple[int, str]]:
    query = (
        select(FEED_POINTER.c.event_seq, FEED_POINTER.c.agency_id)
        .join(FEED_EVENT, FEED_EVENT.c.seq == FEED_POINTER.c.event_seq)
        .where(FEED_EVENT.c.subject_id == subject_id, FEED_POINTER.c.lane == ALL_LANES)
    )
    return {(seq, agency) for seq, agency in connection.execute(query)}


def _newest_pointers(connection: Connection, agency_id: str, lane: str, seqs: Collection[int]) -> dict[int, int]:
    """Return by event the place where it lies in a lane: its own pointer always comes after that of all lanes."""
    query = (
        select(FEED_POINTER.c.event_seq, func.max(FEED_POINTER.c.place).label("place"))
        .where(
            FEED_POINTER.c.agency_id == agency_id,
            FEED_POINTER.c.lane.in_((ALL_LANES, lane)),
            _among(FEED_POINTER, seqs),
        )
        .group_by(FEED_POINTER.c.event_seq)
    )
    return {row.event_seq: row.place for row in connection.execute(query)}


def _lane_of(table: Table, agency_id: str, lane: str) -> ColumnElement[bool]:
    return and_(table.c.agency_id == agency_id, table.c.lane == lane)


def _among(table: Table, seqs: Collection[int]) -> ColumnElement[bool]:
    return table.c.event_seq.in_(seqs)


def _pointer(row: Any) -> Pointer:
    event = FeedEvent(**{name: getattr(row, name) for name in FeedEvent.__slots__})
    return Pointer(row.place, row.seq, event, row.referral_id or "", row.noted_seq is not None)
