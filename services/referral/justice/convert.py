"""Justice events between the wire and the domain, and the two events that they become."""

from __future__ import annotations

from collections.abc import Iterable

from lead.referral.v1 import justice_events_pb2 as events
from lead.referral.v1 import justice_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral.incident_key import Keyed
from services.referral.justice.domain import Sent
from services.referral.justice.feed import Feed, Stretch
from services.referral.justice.result import Recorded, Result
from services.shared.wire import Words, filled, moment, stamp

OUTCOMES = Words(service.JusticeEventOutcome, "JUSTICE_EVENT_OUTCOME_")


def sent_from_wire(draft: pb.JusticeEventDraft, agency_id: str, keyed: Keyed) -> Sent:
    """Return what a valid event means, without anything that it says."""
    source = draft.source
    key = keyed.record(agency_id, source.system, source.record_id)
    if draft.action == pb.JUSTICE_ACTION_DELETE:
        return Sent(key=key, version=source.version, is_gone=True)
    content = pb.JusticeEventDraft()
    content.CopyFrom(draft)
    # Said or not said, it means the same.
    content.ClearField("action")
    digest = keyed.content(agency_id, content.SerializeToString(deterministic=True))
    return Sent(key=key, version=source.version, digest=digest)


def record_key(draft: pb.JusticeEventDraft) -> str:
    """Return how the sender names the record; said back only where it is well formed."""
    return f"{draft.source.system}/{draft.source.record_id}"


def reported(
    draft: pb.JusticeEventDraft, agency_id: str, site_ids: Iterable[str], keyed: Keyed
) -> events.JusticeEventReported:
    """Return what is sealed of an event; of one that is taken back its source alone, which says nothing of a person."""
    if draft.action == pb.JUSTICE_ACTION_DELETE:
        return _sourced(events.JusticeEventReported(withdrawn=True, site_ids=site_ids), draft)
    person = draft.person
    return filled(
        _sourced(events.JusticeEventReported(withdrawn=False, site_ids=site_ids), draft),
        given_name=person.given_name.strip(),
        family_name=person.family_name.strip(),
        birth_date=person.birth_date,
        local_id=person.local_id.strip(),
        kind=draft.kind,
        event_time=moment(draft, "time"),
        offence_time=moment(draft, "offence_time"),
        warrant_kind=draft.warrant_kind or None,
        warrant_time=moment(draft, "warrant_time"),
        level=draft.level or None,
        incident_key=keyed.incident(agency_id, draft.incident_number),
        booking_key=keyed.booking(agency_id, draft.booking_number),
    )


def declared(feed: Feed, site_ids: Iterable[str]) -> events.JusticeFeedDeclared:
    """Return how far a feed is complete."""
    return events.JusticeFeedDeclared(
        agency_id=feed.agency_id,
        complete_from=stamp(feed.span.begin),
        complete_through=stamp(feed.span.end),
        gaps=[events.JusticeFeedGap(from_time=stamp(gap.begin), until_time=stamp(gap.end)) for gap in feed.gaps],
        site_ids=site_ids,
    )


def recorded_to_wire(recorded: Recorded) -> service.RecordJusticeEventsResponse:
    """Return what a sender is told."""
    results = [_result(one) for one in recorded.results]
    return service.RecordJusticeEventsResponse(results=results, feed=_feed(recorded.feed, recorded.note))


def _result(result: Result) -> service.JusticeEventResult:
    wrong = [service.Violation(path=one.path, wish=one.wish) for one in result.violations]
    return filled(
        service.JusticeEventResult(violations=wrong),
        record_key=result.record_key,
        outcome=OUTCOMES.number(result.outcome),
        justice_event_id=result.event_id,
    )


def _feed(feed: Feed | None, note: str) -> service.JusticeFeedState:
    state = filled(service.JusticeFeedState(), note=note)
    if feed is None:
        return state
    gaps = [_stretch(gap) for gap in feed.gaps]
    return filled(state, complete_from=feed.span.begin, complete_through=feed.span.end, gaps=gaps)


def _sourced(message: events.JusticeEventReported, draft: pb.JusticeEventDraft) -> events.JusticeEventReported:
    return filled(message, source_system=draft.source.system, source_record_id=draft.source.record_id)


def _stretch(gap: Stretch) -> service.JusticeFeedStretch:
    return service.JusticeFeedStretch(from_time=stamp(gap.begin), until_time=stamp(gap.end))
