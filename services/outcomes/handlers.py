"""Use cases: register a comparison, count live, show what was published. `(desk, caller, command) -> result`."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, TypeVar

from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse
from lead.outcomes.v1 import outcomes_pb2 as pb
from sqlalchemy import Connection

from services.outcomes import directory, snapshots, store, store_snapshots
from services.outcomes.convert import comparison_registered
from services.outcomes.domain import LATEST, Entry, Figure, IndexEvent, no_approval, registered_otherwise
from services.outcomes.models import IDEMPOTENCY
from services.outcomes.reports import Reports
from services.shared.area import Fact
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.db.idempotency import Key
from services.shared.errors import not_found
from services.shared.ids import Ids
from services.shared.sharing.assertion import Caller
from services.shared.sites import Site

T = TypeVar("T")


class Commit(Protocol):
    """Makes a change durable and known: `Parts.commit`."""

    def __call__(self, facts: Sequence[Fact], write: Callable[[Connection], T]) -> T:
        """Seal, write, put the events into the outbox, commit. Raises LeadError when no keys can be had."""
        ...


@dataclass(frozen=True)
class Desk:
    """The parts of the running area, as use cases need them. `secret` stands behind HMACs that are kept."""

    db: Database
    commit: Commit
    clock: Clock
    ids: Ids
    registry: Callable[[], ReadRegistryResponse]
    # The approval by evaluator agency, for records of a site, as decided now.
    approved: Callable[[str], Mapping[str, str]]
    sites: Mapping[str, Site]
    reports: Reports
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A comparison, told by the arrest that makes him comparable."""

    site_id: str
    arm: str
    index_event: IndexEvent


def create_entry(desk: Desk, caller: Caller, new: NewEntry, key: Key | None) -> Entry:
    """Register a comparison; a repeat, by key or by index event, gives the entry that stands.

    Whether the index event is in a feed is not known here: only casework can tell by its name, and tells nobody.
    Raises ALREADY_EXISTS `IDEMPOTENCY_KEY_REUSED` or `ENTRY_REGISTERED`.
    """
    index_hmac = _index_hmac(desk.secret, new.index_event)
    with desk.db.read() as connection:
        made_id = key.find(connection, IDEMPOTENCY, desk.clock.now()) if key else None
        known = store.entry(connection, made_id, caller.agency_id) if made_id else None
        known = known or store.entry_of(connection, caller.agency_id, new.site_id, index_hmac)
    if known is not None:
        if known.arm != new.arm:
            raise registered_otherwise()
        return known
    entry = Entry(
        id=desk.ids.new("eve"),
        subject_id=desk.ids.new("sub"),
        agency_id=caller.agency_id,
        site_id=new.site_id,
        arm=new.arm,
        index_hmac=index_hmac,
        created_at=desk.clock.now(),
    )

    def write(connection: Connection) -> Entry:
        store.add_entry(connection, entry)
        if key is not None:
            key.remember(connection, IDEMPOTENCY, entry.id, entry.created_at)
        return entry

    return desk.commit([_fact(entry, new.index_event)], write)


def live(desk: Desk, caller: Caller, figure: Figure, as_of: datetime | None) -> pb.Report:
    """Return figures of today, or as of a time that has passed. Raises FAILED_PRECONDITION, RESOURCE_EXHAUSTED,
    and NOT_FOUND for a site without a pack.

    An as-of time bounds what had happened, by what is known of it now: later corrections count, since a source's
    correction or withdrawal must be passed on. What was known then is what snapshots keep.
    """
    site = desk.sites.get(figure.site_id)
    if site is None:
        raise not_found()
    agency_id = _counted_for(desk, caller, figure.site_id)
    with desk.db.read() as connection:
        revision = store.revision(connection)

    def make() -> pb.Report:
        making = import_module("services.outcomes.making")
        report: pb.Report = making.live(desk.db, agency_id, site, figure, as_of or desk.clock.now())
        return report

    return desk.reports.get((revision, agency_id, figure, as_of), make)


def published(desk: Desk, figure: Figure, quarter: str) -> pb.Report:
    """Return frozen figures, of the newest quarter unless one is named. Raises NOT_FOUND when there are none."""
    with desk.db.read() as connection:
        wanted = "" if quarter == LATEST else quarter
        found = store_snapshots.find(connection, figure.site_id, wanted)
    report = None if found is None else snapshots.report_of(found, figure)
    if report is None:
        raise not_found()
    return report


def _counted_for(desk: Desk, caller: Caller, site_id: str) -> str:
    """Return the evaluator whose opened rows are counted: the caller's own agency, or the one of the site."""
    own = [caller.agency_id] if caller.role == "evaluator" else directory.evaluators(desk.registry(), site_id)
    approved = desk.approved(site_id)
    agencies = [each for each in own if each in approved]
    if not agencies:
        raise no_approval()
    return agencies[0]


def _fact(entry: Entry, index_event: IndexEvent) -> Fact:
    return Fact(
        message=comparison_registered(entry, index_event),
        record_id=entry.id,
        subject_id=entry.subject_id,
        source_agency_id=entry.agency_id,
        version=1,
    )


def _index_hmac(secret: bytes, index_event: IndexEvent) -> bytes:
    parts = (index_event.agency_id, index_event.system, index_event.record_id)
    framed = b"".join(len(part := each.encode()).to_bytes(4, "big") + part for each in parts)
    return hmac.digest(secret, b"index" + framed, hashlib.sha256)
