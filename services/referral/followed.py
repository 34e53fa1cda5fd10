"""What outcomes counts of a referral: published beside its other events whenever that changed, on the same subject.

Whatever destroys the keys of a referral's subject destroys these with them, so that nothing has to be erased twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lead.referral.v1 import referral_events_pb2 as events

from services.referral.convert import DOORS
from services.referral.convert_referral import OUTCOMES, RESULTS, STATES
from services.referral.domain import Referral
from services.referral.incident_key import Keyed
from services.shared.area import Fact
from services.shared.sites import Site
from services.shared.wire import filled


def facts(
    changes: Iterable[tuple[Referral | None, Referral]], sites: Mapping[str, Site], keyed: Keyed
) -> Iterator[Fact]:
    """Yield an event for each change (before, after) that matters for counting; before is None for a new referral."""
    for before, after in changes:
        site = sites.get(after.draft.site_id)
        message = followed(after, site, keyed)
        # Compared by today's pack: a change of the pack is no change of the referral.
        if before is not None and message == followed(before, site, keyed):
            continue
        yield Fact(
            message=message,
            record_id=after.id,
            subject_id=after.subject_id,
            source_agency_id=after.agency_id,
            version=after.version,
        )


def followed(referral: Referral, site: Site | None, keyed: Keyed) -> events.ReferralFollowed:
    """Return what is counted of a referral. `site` is None where it has closed: then no clock is named."""
    draft, offer = referral.draft, referral.offer
    is_approved = _is_approved(referral, site)
    result = referral.screening.result
    return filled(
        events.ReferralFollowed(),
        site_id=draft.site_id,
        door=DOORS.number(draft.door),
        incident_time=draft.incident_time,
        referral_time=draft.referral_time,
        incident_key=keyed.incident(referral.agency_id, draft.incident_number),
        screening_result=RESULTS.number(result),
        overridden=is_approved and result != "ELIGIBLE",
        offer_time=None if offer is None else offer.call_time,
        offer_outcome=None if offer is None else OUTCOMES.number(offer.outcome),
        approve_time=max(each.time for each in referral.approvals) if is_approved else None,
        state=STATES.number(referral.state),
        intake_clock_days=None if site is None else _intake_days(site, draft.door),
    )


def _is_approved(referral: Referral, site: Site | None) -> bool:
    """Tell whether the approvals that the site asks for were given, also where the referral was withdrawn later."""
    if referral.state == "APPROVED":
        return bool(referral.approvals)
    given = {each.role for each in referral.approvals}
    return referral.state == "WITHDRAWN" and site is not None and bool(given) and site.approvals.satisfied_by(given)


def _intake_days(site: Site, door: str) -> int | None:
    return next((days for name, days in site.clocks.intake_days.items() if name == door), None)
