"""What a change of a referral makes known: sealed events, and the scope facts that decisions about them rest on.

The statements of one change reach consent before its events are published (architecture section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from lead.consent.v1.consent_internal_service_pb2 import ScopeFact, ScopeStatement

from services.referral import convert_events
from services.referral.domain import Handoff, Referral
from services.referral.moves import POLICE
from services.shared.area import Fact
from services.shared.sites import Site
from services.shared.wire import stamp

Change = tuple[Referral | None, Referral]
"""A referral before and after; before is None for a new one."""
Sites = Mapping[str, Site]


def facts(changes: Iterable[Change], sites: Sites, now: datetime) -> list[Fact]:
    """Return the events of several changes, in order: what others know of a referral is its newest version, whole."""
    return [fact for before, after in changes for fact in _facts(before, after, sites, now)]


def statements(changes: Iterable[Change], now: datetime) -> list[ScopeStatement]:
    """Return what has become true or untrue about referrals and their hand-offs, in order."""
    return [
        statement
        for before, after in changes
        for statement in (*_about_referral(before, after), *_about_handoff(before, after, now))
    ]


def _facts(before: Referral | None, after: Referral, sites: Sites, now: datetime) -> Iterator[Fact]:
    if before is None or _is_news(before, after):
        yield _fact(_told(after, sites, now), after, after.id, after.version)
    asked = _asked(before, after, now)
    if asked is not None:
        message = convert_events.handoff_requested(after, asked, sites[after.draft.site_id])
        yield _fact(message, after, asked.id, after.version)


def _told(after: Referral, sites: Sites, now: datetime) -> Message:
    if after.state == "WITHDRAWN":
        # Asks no pack: a referral is taken back also where its site has closed since.
        return convert_events.withdrawn(now)
    return convert_events.recorded(after, sites[after.draft.site_id])


def _is_news(before: Referral, after: Referral) -> bool:
    return before.state != after.state or before.digest != after.digest


def _asked(before: Referral | None, after: Referral, now: datetime) -> Handoff | None:
    """Return the hand-off that was opened, or whose request was corrected while somebody may be on the way."""
    handoff = after.handoff
    if before is None or handoff is None or not handoff.is_open(now):
        return None
    is_new = before.handoff is None or before.handoff.id != handoff.id
    return handoff if is_new or before.digest != after.digest else None


def _about_referral(before: Referral | None, after: Referral) -> Iterator[ScopeStatement]:
    if before is not None and before.digest == after.digest:
        return

    def stated(fact: ScopeFact.ValueType, **values: Any) -> ScopeStatement:
        return ScopeStatement(
            fact=fact, subject_id=after.subject_id, record_id=after.id, version=after.version, **values
        )

    yield stated(ScopeFact.SCOPE_FACT_SITE, site_id=after.draft.site_id)
    if after.referrer_role in POLICE:
        yield stated(ScopeFact.SCOPE_FACT_INCIDENT, agency_id=after.agency_id)
    for office in sorted(after.offices):
        yield stated(ScopeFact.SCOPE_FACT_ROUTED, agency_id=office)
    for office in sorted(_offices(before) - after.offices):
        yield stated(ScopeFact.SCOPE_FACT_ROUTED, agency_id=office, closed=True)


def _offices(referral: Referral | None) -> frozenset[str]:
    return frozenset() if referral is None else referral.offices


def _about_handoff(before: Referral | None, after: Referral, now: datetime) -> Iterator[ScopeStatement]:
    handoff = after.handoff
    earlier = None if before is None else before.handoff
    if handoff is None or handoff == earlier:
        return
    # Casework closes the same fact later, so both count its versions by time.
    version = int(now.timestamp() * 1000)
    is_new = earlier is None or earlier.id != handoff.id
    if is_new:
        yield ScopeStatement(
            fact=ScopeFact.SCOPE_FACT_SITE,
            subject_id=after.subject_id,
            record_id=handoff.id,
            site_id=after.draft.site_id,
            version=version,
        )
    yield ScopeStatement(
        fact=ScopeFact.SCOPE_FACT_DISPATCHED,
        subject_id=after.subject_id,
        record_id=handoff.id,
        agency_id=handoff.agency_id,
        site_id=after.draft.site_id,
        from_time=stamp(handoff.requested_at),
        until_time=stamp(handoff.window_end),
        closed=not is_new,
        version=version,
    )


def _fact(message: Message, referral: Referral, record_id: str, version: int) -> Fact:
    return Fact(
        message=message,
        record_id=record_id,
        subject_id=referral.subject_id,
        source_agency_id=referral.agency_id,
        version=version,
    )
