"""Queries on frozen snapshots, which are written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, insert, select

from services.outcomes.domain import Quarter
from services.outcomes.models import FEEDS, REFERRALS, SNAPSHOTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The figures of a site as they were published for a quarter.

    `content` is canonical JSON, `digest` the SHA-256 in hex of its UTF-8. Made under this evaluator's approval.
    """

    site_id: str
    quarter: str
    agency_id: str
    approval_id: str
    frozen_at: datetime
    digest: str
    content: str


def add(connection: Connection, snapshot: Snapshot) -> None:
    """Store a new snapshot. Raises IntegrityError when the quarter has one."""
    values = {name: getattr(snapshot, name) for name in Snapshot.__dataclass_fields__}
    connection.execute(insert(SNAPSHOTS).values(values))


def find(connection: Connection, site_id: str, quarter: str) -> Snapshot | None:
    """Return a site's snapshot of a quarter, the newest one when none is named."""
    query = select(SNAPSHOTS).where(SNAPSHOTS.c.site_id == site_id).order_by(SNAPSHOTS.c.quarter.desc()).limit(1)
    if quarter:
        query = query.where(SNAPSHOTS.c.quarter == quarter)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Snapshot(**row)


def last_quarter(connection: Connection, site_id: str) -> Quarter | None:
    """Return the last quarter that was frozen."""
    query = select(SNAPSHOTS.c.quarter).where(SNAPSHOTS.c.site_id == site_id).order_by(SNAPSHOTS.c.quarter.desc())
    found = connection.execute(query.limit(1)).scalar()
    return None if found is None else Quarter.parse(found)


def has_referrals(connection: Connection, agency_id: str, site_id: str, until: datetime) -> bool:
    """Tell whether anybody was referred at a site until then, as it was opened for an evaluator."""
    table = REFERRALS.c
    here = and_(table.agency_id == agency_id, table.site_id == site_id, table.referral_at <= until)
    return connection.execute(select(table.referral_id).where(here).limit(1)).first() is not None


def feed_ends(connection: Connection, agency_id: str, site_id: str) -> list[datetime | None]:
    """Return until when each feed of a site is complete, as it was opened for an evaluator."""
    query = select(FEEDS.c.complete_through, FEEDS.c.site_ids).where(FEEDS.c.agency_id == agency_id)
    return [row.complete_through for row in connection.execute(query) if site_id in row.site_ids]
