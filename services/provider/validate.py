"""One function per request: all wrong fields at once, by JSON path, never a value (contract, Rules)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from lead.casework.v1 import casework_pb2
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.provider import checks, words
from services.provider.checks import MISSING
from services.provider.domain.enrolment import times_violations
from services.shared.errors import Violation, invalid
from services.shared.wire import moment

PAGE_DEFAULT, PAGE_MOST = 50, 500
_MOST_NAME, _MOST_LINES, _MOST_PLACES, _MOST_PEOPLE = 200, 2_000, 100_000, 1_000_000
_MOST_SITES, _MINUTES_OF_A_DAY = 50, 24 * 60
# An offered place is kept for days or weeks.
_LONGEST_HOLD = timedelta(days=366)
_ListRequest = service.ListServiceReferralsRequest | service.ListEnrollmentsRequest
_Described = service.CreateServiceRequest | service.UpdateServiceRequest


def list_services(request: service.ListServicesRequest) -> None:
    """Raises INVALID_ARGUMENT for a kind that is none, or a page size outside of 0 to 500."""
    kind = checks.word("kind", request.kind, words.SERVICE_KINDS, pb.ServiceKind.keys())
    raise_for([*kind, *_page_size(request.page_size)])


def create_service(request: service.CreateServiceRequest, site_ids: Sequence[str]) -> None:
    """Raises INVALID_ARGUMENT without a name or a kind, and for sites that are not the caller's."""
    raise_for(
        [
            *checks.given("name", request.name.strip()),
            *checks.chosen("kind", request.kind, words.SERVICE_KINDS, pb.ServiceKind.keys()),
            *_sites(request.site_ids, site_ids),
            *_described(request),
        ]
    )


def update_service(request: service.UpdateServiceRequest) -> None:
    """Raises INVALID_ARGUMENT without an etag, and for a name that is taken away."""
    emptied = request.HasField("name") and not request.name.strip()
    name = [Violation("name", MISSING)] if emptied else []
    raise_for([*name, *_described(request), *checks.given("etag", request.etag)])


def total(request: service.RecordServiceTotalRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT for days that are none or stand in the wrong order, and without a number."""
    found = [
        *checks.day("periodStart", request.period_start, now),
        *checks.day("periodEnd", request.period_end, now),
        *checks.count(request, "people", "people", _MOST_PEOPLE),
    ]
    if not request.HasField("people"):
        found.append(Violation("people", MISSING))
    start, end = checks.day_of(request.period_start), checks.day_of(request.period_end)
    if start is not None and end is not None and end < start:
        found.append(Violation("periodEnd", "not before the start"))
    raise_for(found)


def create_referral(request: service.CreateServiceReferralRequest) -> None:
    """Raises INVALID_ARGUMENT without a service or a participant, and for needs that are none or told twice."""
    raise_for(
        [
            *checks.given("serviceId", request.service_id),
            *checks.given("participantId", request.participant_id),
            *_needs(request.needs),
        ]
    )


def offer(request: service.OfferServiceReferralRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without an etag, and for an offer that is over already."""
    raise_for([*_hold(request, now), *checks.given("etag", request.etag)])


def etag(given: str) -> None:
    """Raises INVALID_ARGUMENT without an etag."""
    raise_for(checks.given("etag", given))


def decline(request: service.DeclineServiceReferralRequest, *, asks: bool) -> None:
    """Raises INVALID_ARGUMENT without an etag or the reason of the caller's side, and for the other side's reason."""
    reasons: dict[str, tuple[int, Iterable[Violation]]] = {
        "requestReason": (
            request.request_reason,
            checks.chosen(
                "requestReason",
                request.request_reason,
                words.REQUEST_REASONS,
                pb.RequestDeclineReason.keys(),
            ),
        ),
        "reason": (
            request.reason,
            checks.chosen("reason", request.reason, words.ANSWER_REASONS, pb.AnswerDeclineReason.keys()),
        ),
    }
    own, other = ("requestReason", "reason") if asks else ("reason", "requestReason")
    found = [*reasons[own][1], *checks.given("etag", request.etag)]
    if reasons[other][0]:
        found.append(Violation(other, "left out: it is the other agency's"))
    raise_for(found)


def listed(request: _ListRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT for a time that is none or lies ahead, or a page size outside of 0 to 500."""
    raise_for([*_page_size(request.page_size), *checks.time(request, "updated_after", "updatedAfter", now)])


def draft(draft: pb.EnrollmentDraft, now: datetime) -> list[Violation]:
    """Return all that is wrong with an enrolment by itself; what it names is looked up later."""
    found = [
        *_whose(draft),
        *_source(draft.source),
        *checks.chosen("status", draft.status, words.STATUSES, pb.EnrollmentStatus.keys()),
        *checks.time(draft, "start_time", "startTime", now),
        *checks.time(draft, "end_time", "endTime", now),
    ]
    if not draft.HasField("start_time"):
        found.append(Violation("startTime", MISSING))
    return checks.beside(found, lambda: _times(draft, {each.path for each in found}))


def update_enrollment(request: service.UpdateEnrollmentRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without an etag, for a status that is none, and for times ahead."""
    raise_for(
        [
            *checks.word("status", request.status, words.STATUSES, pb.EnrollmentStatus.keys()),
            *checks.time(request, "start_time", "startTime", now),
            *checks.time(request, "end_time", "endTime", now),
            *checks.given("etag", request.etag),
        ]
    )


def attendance(request: service.RecordAttendanceRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without a day or a status, and for minutes of somebody who did not come."""
    found = [
        *checks.day("date", request.date, now),
        *checks.chosen("status", request.status, words.ATTENDANCE, pb.AttendanceStatus.keys()),
        *checks.count(request, "minutes", "minutes", _MINUTES_OF_A_DAY),
    ]
    came = request.status == pb.ATTENDANCE_STATUS_ATTENDED
    raise_for(
        checks.beside(
            found, lambda: [] if came or not request.minutes else [Violation("minutes", "left out unless attended")]
        )
    )


def raise_for(found: Iterable[Violation]) -> None:
    """Raise INVALID_ARGUMENT when anything is wrong."""
    wrong = list(found)
    if wrong:
        raise invalid(wrong)


def _described(request: _Described) -> Iterator[Violation]:
    yield from checks.text("name", request.name, _MOST_NAME)
    yield from checks.text("description", request.description, _MOST_LINES)
    yield from checks.count(request, "capacity", "capacity", _MOST_PLACES)
    yield from checks.count(request, "open_places", "openPlaces", _MOST_PLACES)
    yield from checks.word("state", request.state, words.SERVICE_STATES, pb.ServiceState.keys())


def _sites(given: Sequence[str], own: Sequence[str]) -> Iterator[Violation]:
    if len(given) > _MOST_SITES:
        yield Violation("siteIds", f"at most {_MOST_SITES}")
    times = Counter(given)
    for place, site in enumerate(given[:_MOST_SITES]):
        if site not in own:
            yield Violation(f"siteIds[{place}]", "a site of the own agency")
        elif times[site] > 1:
            yield Violation(f"siteIds[{place}]", "given once")
    if not given and not own:
        yield Violation("siteIds", MISSING)


def _needs(needs: Sequence[int]) -> Iterator[Violation]:
    times = Counter(needs)
    for place, need in enumerate(needs[: 2 * len(casework_pb2.Need.keys())]):
        if not words.NEEDS.word(need):
            yield Violation(f"needs[{place}]", checks.one_of(casework_pb2.Need.keys()))
        elif times[need] > 1:
            yield Violation(f"needs[{place}]", "given once")


def _hold(request: service.OfferServiceReferralRequest, now: datetime) -> Iterator[Violation]:
    if not request.HasField("hold_until_time"):
        return
    until = request.hold_until_time.ToDatetime(tzinfo=UTC) if checks.is_time(request, "hold_until_time") else now
    if not now < until <= now + _LONGEST_HOLD:
        yield Violation("holdUntilTime", "a time from now on, within a year")


def _whose(draft: pb.EnrollmentDraft) -> Iterator[Violation]:
    if draft.service_referral_id and draft.participant_id:
        yield Violation("participantId", "left out where a service referral is named: it says whose it is")
    elif not draft.service_referral_id and not draft.participant_id:
        yield Violation("serviceReferralId", "must be given, or participantId")
    if not draft.service_id and not draft.service_referral_id:
        yield Violation("serviceId", MISSING)


def _source(source: pb.EnrollmentSourceDraft) -> Iterator[Violation]:
    yield from checks.system("source.system", source.system)
    yield from checks.record_id("source.recordId", source.record_id)
    if source.ListFields() and not source.system:
        yield Violation("source.system", MISSING)
    if source.ListFields() and not source.record_id:
        yield Violation("source.recordId", MISSING)
    if source.HasField("version") and source.version < 1:
        yield Violation("source.version", "a whole number from 1 on")


def _times(draft: pb.EnrollmentDraft, wrong: set[str]) -> list[Violation]:
    if wrong & {"startTime", "endTime"}:
        return []
    return times_violations(words.STATUSES.word(draft.status), moment(draft, "start_time"), moment(draft, "end_time"))


def _page_size(given: int) -> Iterator[Violation]:
    if not 0 <= given <= PAGE_MOST:
        yield Violation("pageSize", f"from 0 to {PAGE_MOST}; 0 means {PAGE_DEFAULT}")
