"""Events of this area: what is sealed about a referral, by the contract's messages."""

from __future__ import annotations

from datetime import datetime

from lead.referral.v1 import referral_events_pb2 as events

from services.referral import convert
from services.referral.convert_referral import RESULTS, STATES, open_rules
from services.referral.domain import Handoff, Referral
from services.referral.screening import Charge
from services.shared.sites import Site, due_time
from services.shared.wire import filled


def recorded(referral: Referral, site: Site) -> events.ReferralRecorded:
    """Return the whole referral, so that the newest version is enough for whoever may open it."""
    draft = referral.draft
    message = events.ReferralRecorded(
        charges=[_routed(each, referral.routing[each.id]) for each in draft.charges],
        screening_rules=open_rules(referral.screening),
    )
    return filled(
        message,
        site_id=draft.site_id,
        door=convert.DOORS.number(draft.door),
        incident_number=draft.incident_number,
        incident_time=draft.incident_time,
        referral_time=draft.referral_time,
        intake_due_time=due_time(site, draft.door, draft.referral_time),
        state=STATES.number(referral.state),
        person=convert.person_to_wire(draft.person),
        officer=convert.officer_to_wire(draft.officer),
        screening_result=RESULTS.number(referral.screening.result),
        policy_version=referral.screening.policy_version,
        narrative=draft.narrative.text,
        victim=convert.victim_to_wire(draft.victim),
    )


def withdrawn(now: datetime) -> events.ReferralWithdrawn:
    """Return that its source took it back."""
    return filled(events.ReferralWithdrawn(), withdrawn_time=now)


def handoff_requested(referral: Referral, handoff: Handoff, site: Site) -> events.HandoffRequested:
    """Return what a dispatched case manager needs before any signature (matrix row 9), and nothing else."""
    draft, offer = referral.draft, referral.offer
    message = events.HandoffRequested(screening_rules=open_rules(referral.screening))
    return filled(
        message,
        referral_id=referral.id,
        site_id=draft.site_id,
        door=convert.DOORS.number(draft.door),
        dispatch_agency_id=handoff.agency_id,
        call_time=None if offer is None else offer.call_time,
        window_end_time=handoff.window_end,
        intake_due_time=due_time(site, draft.door, draft.referral_time),
        referral_time=draft.referral_time,
        person=convert.person_to_wire(draft.person),
        contact=convert.contact_to_wire(draft.contact),
        meet_at="" if offer is None else offer.meet_at,
        officer=convert.officer_to_wire(draft.officer),
        screening_result=RESULTS.number(referral.screening.result),
    )


def _routed(charge: Charge, office_id: str) -> events.RoutedCharge:
    return filled(
        events.RoutedCharge(substances=convert.substances_to_wire(charge.substances)),
        id=charge.id,
        statute=charge.statute,
        offense_code=charge.offense_code,
        description=charge.description,
        level=convert.LEVELS.number(charge.level or ""),
        office_id=office_id,
    )
