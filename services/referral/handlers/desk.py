"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from lead.consent.v1.consent_internal_service_pb2 import ScopeStatement
from sqlalchemy import Connection

from services.referral import scope, store, store_beside
from services.referral.checks import Setting
from services.referral.directory import Directory
from services.referral.domain import ChargeDecision, Confirmation, Referral
from services.referral.incident_key import Keyed
from services.referral.limits import Buckets
from services.referral.store import ChangedMeanwhileError
from services.shared.area import Fact
from services.shared.changes import Changes
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.errors import LeadError, aborted, not_found
from services.shared.ids import Ids
from services.shared.sharing.assertion import Caller
from services.shared.sites import Site

T = TypeVar("T")


class Grants(Protocol):
    """What consent knows of a caller's rows."""

    def granted_subjects(self, caller: Caller) -> Collection[str]:
        """Return the subjects that ever named the caller's agency, or that are linked to him. Raises LeadError."""
        ...


class Commit(Protocol):
    """Makes a change durable and known: `Parts.commit`."""

    def __call__(
        self, facts: Sequence[Fact], write: Callable[[Connection], T], statements: Sequence[ScopeStatement] = ()
    ) -> T:
        """Seal, write, put what is to be said into the outbox, commit. Raises LeadError when no keys can be had."""
        ...


@dataclass(frozen=True)
class Desk:
    """The parts of the running area, as use cases need them.

    `secret` stands behind idempotency keys, `keyed` behind what an agency's numbers become.
    """

    db: Database
    commit: Commit
    consent: Grants
    clock: Clock
    ids: Ids
    sites: Mapping[str, Site]
    directory: Directory
    screens: Buckets
    secret: bytes
    keyed: Keyed

    def setting(self, caller: Caller) -> Setting:
        """Return what this caller's drafts are checked against now."""
        return Setting(caller, self.sites, self.directory.oris(caller.agency_id), self.clock.now())

    def granted(self, caller: Caller) -> Collection[str]:
        """Return the subjects whose rows a release may open to the caller; asked only where it matters."""
        return self.consent.granted_subjects(caller) if scope.needs_grants(caller) else ()

    def find(self, caller: Caller, referral_id: str) -> Referral:
        """Return a referral of the caller's. Raises NOT_FOUND, with one answer for absent and withheld (P2-02)."""
        granted = self.granted(caller)
        with self.db.read() as connection:
            found = store.find(connection, referral_id, caller, granted)
        if found is None:
            raise not_found()
        return found

    def site_of(self, referral: Referral) -> Site:
        """Return the pack of a referral's site. Raises NOT_FOUND for a site that was closed since."""
        site = self.sites.get(referral.draft.site_id)
        if site is None:
            raise not_found()
        return site


@dataclass(frozen=True, slots=True)
class Whole:
    """A referral with what other agencies said about it, and when what it says itself changed last."""

    referral: Referral
    decisions: Mapping[str, ChargeDecision]
    confirmation: Confirmation | None
    changes: Changes | None


def whole(connection: Connection, referrals: Sequence[Referral]) -> list[Whole]:
    """Return the referrals with their decisions and confirmations, in a bounded number of queries."""
    ids = [each.id for each in referrals]
    decisions, changes = store_beside.decisions(connection, ids), store.changes(connection, ids)
    confirmed = store_beside.confirmations(connection, [each.subject_id for each in referrals])
    return [Whole(each, decisions, confirmed.get(each.subject_id), changes.get(each.id)) for each in referrals]


def busy() -> LeadError:
    """Return the refusal of a change that others were quicker with, again and again."""
    return aborted("The record is being changed by others; try again.")


def save(connection: Connection, changes: Sequence[tuple[Referral | None, Referral]], now: datetime) -> None:
    """Store changes for a caller who holds an etag: whoever was quicker makes it stale. Raises ABORTED."""
    try:
        store.save(connection, changes, now)
    except ChangedMeanwhileError:
        raise aborted("The record has changed since it was read. Read it again.") from None
