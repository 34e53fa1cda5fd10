"""Approve, decline, withdraw: visibility first, then the etag, then the move."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from services.referral import announce, followed, moves
from services.referral.domain import Referral, check_etag
from services.referral.handlers.desk import Desk, busy, save
from services.referral.scope import require_police
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller

_ATTEMPTS = 5


def approve(desk: Desk, caller: Caller, referral_id: str, etag: str) -> Referral:
    """Add the caller's approval. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION."""
    found = _held(desk, caller, referral_id, etag)
    site, now = desk.site_of(found), desk.clock.now()
    return changed(desk, found, moves.approved(found, site, caller.agency_id, caller.role, now))


def decline(desk: Desk, caller: Caller, referral_id: str, etag: str, reason: str) -> Referral:
    """Decline, with a reason. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION."""
    found = _held(desk, caller, referral_id, etag)
    return changed(desk, found, moves.declined(found, desk.site_of(found), caller.role, reason))


def withdraw(desk: Desk, caller: Caller, referral_id: str) -> Referral:
    """Take the own referral back; a second time changes nothing. Stopping never waits, so there is no etag."""
    require_police(caller)
    for _ in range(_ATTEMPTS):
        found = desk.find(caller, referral_id)
        moves.check_source(found, caller.agency_id)
        after = moves.withdrawn(found, desk.clock.now())
        if after is found:
            return found
        try:
            return changed(desk, found, after)
        except LeadError as error:
            if error.code is not Code.ABORTED:
                raise
    raise busy()


def changed(desk: Desk, before: Referral, after: Referral) -> Referral:
    """Store a change and make it known. Raises ABORTED when another call was quicker."""
    now = desk.clock.now()

    def write(connection: Connection) -> datetime:
        at = desk.clock.now()
        save(connection, [(before, after)], at)
        return at

    changes: list[announce.Change] = [(before, after)]
    facts = [*announce.facts(changes, desk.sites, now), *followed.facts(changes, desk.sites, desk.keyed)]
    at = desk.commit(facts, write, announce.statements(changes, now))
    return replace(after, updated_at=at)


def _held(desk: Desk, caller: Caller, referral_id: str, etag: str) -> Referral:
    require_police(caller)
    found = desk.find(caller, referral_id)
    check_etag(etag, found.etag)
    return found
