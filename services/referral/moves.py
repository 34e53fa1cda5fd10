"""What may be done with a referral, and by whom as its site says: approve, decline, withdraw, offer, hand-over. No IO.

Each function returns the referral afterwards or raises FAILED_PRECONDITION; visibility and etag were checked before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.referral.domain import Approval, Handoff, Handover, Offer, Referral, after, next_version
from services.shared.errors import failed_precondition
from services.shared.sites import Site, handoff_window_end

POLICE = frozenset({"police_officer", "police_rms", "police_liaison"})
# Doors without an arrest: there the programme office may have called the case manager (contract, `:recordOffer`).
_OFFICE_DOORS = ("SOCIAL_CONTACT", "COMMUNITY")


def approved(referral: Referral, site: Site, agency_id: str, role: str, now: datetime) -> Referral:
    """Add an approval; the state follows when the site's pack has all that it asks for."""
    state = after(referral.state, "approve")
    _check_approver(site, role)
    if role in {each.role for each in referral.approvals}:
        raise failed_precondition("ALREADY_APPROVED", "Somebody in this role has approved; another role's is wanted.")
    approvals = (*referral.approvals, Approval(agency_id=agency_id, role=role, time=now))
    enough = site.approvals.satisfied_by({each.role for each in approvals})
    return next_version(referral, approvals=approvals, state=state if enough else referral.state)


def declined(referral: Referral, site: Site, role: str, reason: str) -> Referral:
    """Decline, with the reason in words."""
    state = after(referral.state, "decline")
    _check_approver(site, role)
    return next_version(referral, state=state, decline_reason=reason)


def withdrawn(referral: Referral, now: datetime) -> Referral:
    """Withdraw, and end the window of its hand-off; a referral that is withdrawn already stays as it is."""
    state = after(referral.state, "withdraw")
    if referral.state == state:
        return referral
    return next_version(referral, state=state, handoff=_ended(referral.handoff, now))


def check_source(referral: Referral, agency_id: str) -> None:
    """Refuse a withdrawal by anybody but the agency whose record it is."""
    if referral.agency_id != agency_id:
        raise failed_precondition("NOT_THE_SOURCE", "The agency that referred withdraws; others may decline.")


def offered(referral: Referral, offer: Offer, site: Site, now: datetime, mint: Callable[[], str]) -> Referral:
    """Record what the person said to the offer.

    ACCEPTED opens a hand-off with an id from `mint`; another one is refused while its window is open. Anything else
    ends an open window: a decline closes it at once (matrix row 9).
    """
    after(referral.state, "recordOffer")
    if offer.outcome != "ACCEPTED":
        return next_version(referral, offer=offer, handoff=_ended(referral.handoff, now))
    if referral.handoff is not None and referral.handoff.is_open(now):
        raise failed_precondition(
            "HANDOFF_OPEN", "A case manager was called already. Record the outcome of that offer first."
        )
    window_end = handoff_window_end(site, referral.draft.door, now)
    handoff = Handoff(id=mint(), agency_id=offer.dispatch_agency_id, requested_at=now, window_end=window_end)
    return next_version(referral, offer=offer, handoff=handoff, handover=None)


def handed_over(referral: Referral, time: datetime, target_minutes: int) -> Referral:
    """Record when the officer handed the person over; minutes are whole ones from his call."""
    after(referral.state, "recordHandover")
    offer = referral.offer
    if offer is None or offer.outcome != "ACCEPTED" or offer.call_time is None:
        raise failed_precondition("NO_ACCEPTED_OFFER", "An accepted offer is recorded first, by recordOffer.")
    minutes = int((time - offer.call_time).total_seconds() // 60)
    if minutes < 0:
        raise failed_precondition("BEFORE_THE_CALL", "The hand-over cannot be earlier than the call.")
    return next_version(referral, handover=Handover(time=time, minutes=minutes, target_minutes=target_minutes))


def check_scene(referral: Referral, role: str) -> None:
    """Refuse to take the word of the programme office on what happened after an arrest."""
    if role not in POLICE and referral.draft.door not in _OFFICE_DOORS:
        doors = " and ".join(_OFFICE_DOORS)
        raise failed_precondition("NOT_AT_THE_SCENE", f"Outside of {doors} an officer of the source records this.")


def _check_approver(site: Site, role: str) -> None:
    approvers = (*site.approvals.any_of, *site.approvals.all_of)
    if role not in approvers:
        raise failed_precondition("NOT_AN_APPROVER", f"At this site these roles decide: {', '.join(approvers)}.")


def _ended(handoff: Handoff | None, now: datetime) -> Handoff | None:
    if handoff is None or not handoff.is_open(now):
        return handoff
    return replace(handoff, window_end=now)
