"""A site pack as the public sees it: doors, rules in words, clocks."""

from __future__ import annotations

from collections.abc import Iterator

from lead.referral.v1 import referral_pb2 as pb

from services.referral.convert import DOORS
from services.shared.sites import Site


def site_to_wire(site: Site) -> pb.Site:
    """Return the site; only the doors that are open."""
    return pb.Site(
        id=site.id,
        name=site.name,
        time_zone=site.time_zone,
        doors=[DOORS.number(door) for door, is_open in site.doors.items() if is_open],
        policy_id=site.policy.id,
        policy_version=site.policy.version,
        rules=[pb.SiteRule(name=rule.name, words=rule.words, basis=rule.basis) for rule in site.rules],
        clocks=[pb.SiteClock(name=name, words=words) for name, words in _clocks(site)],
    )


def _clocks(site: Site) -> Iterator[tuple[str, str]]:
    clocks = site.clocks
    yield "handoff", f"A case manager arrives within {clocks.handoff_target_minutes} minutes of the call."
    for door, days in clocks.intake_days.items():
        words = f"{door}: the intake is complete by the end of day {days} after the referral, in the site's time zone."
        yield f"intake_{door.lower()}", words
    yield "outreach", f"Without an arrest a case manager may look for the person for {clocks.outreach_days} days."
    days_before = ", ".join(str(days) for days in clocks.remind_days)
    if days_before:
        yield "reminders", f"Days before the due day on which to remind: {days_before}."
