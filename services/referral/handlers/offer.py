"""What the officer did at the scene: made the offer, called a case manager, handed the person over."""

from __future__ import annotations

from datetime import datetime

from services.referral import moves, validate
from services.referral.domain import Offer, Referral, check_etag
from services.referral.handlers.desk import Desk
from services.referral.handlers.move import changed
from services.referral.scope import require_police
from services.shared.errors import invalid
from services.shared.sharing.assertion import Caller


def record_offer(desk: Desk, caller: Caller, referral_id: str, etag: str, offer: Offer) -> Referral:
    """Record the answer; an accepted one opens the hand-off and its window (matrix row 9).

    Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION, and INVALID_ARGUMENT for an agency of another site.
    """
    found = _held(desk, caller, referral_id, etag)
    site = desk.site_of(found)
    called = offer.dispatch_agency_id
    if called and not desk.directory.sends_case_managers(called, site.id):
        raise invalid([validate.not_dispatchable()])
    return changed(desk, found, moves.offered(found, offer, site, desk.clock.now(), lambda: desk.ids.new("hof")))


def record_handover(desk: Desk, caller: Caller, referral_id: str, etag: str, time: datetime) -> Referral:
    """Record when the officer handed the person over. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION."""
    found = _held(desk, caller, referral_id, etag)
    target = desk.site_of(found).clocks.handoff_target_minutes
    return changed(desk, found, moves.handed_over(found, time, target))


def _held(desk: Desk, caller: Caller, referral_id: str, etag: str) -> Referral:
    require_police(caller)
    found = desk.find(caller, referral_id)
    check_etag(etag, found.etag)
    moves.check_scene(found, caller.role)
    return found
