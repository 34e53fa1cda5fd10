"""One function per request: all wrong fields at once, by JSON path, never a value (contract, Rules).

Paths of a draft are those of the draft itself, `charges[2].substances[0].quantity`, also in `PushReferrals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from google.protobuf.message import Message
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import checks, fields
from services.referral.checks import Check, Setting
from services.shared.errors import Code, LeadError, Violation, invalid

_MISSING = "must be given"
PAGE_DEFAULT, PAGE_MOST = 50, 500
# The last one is what a client says that does not look into its files.
_XML = frozenset({"application/xml", "text/xml", "application/octet-stream"})


def submitted(draft: pb.ReferralDraft, setting: Setting) -> None:
    """Raises INVALID_ARGUMENT for a referral that is not acceptable."""
    _raise(draft_violations(draft, setting, checks.WHOLE))


def screened(draft: pb.ReferralDraft, setting: Setting) -> None:
    """Raises INVALID_ARGUMENT for a dry run that cannot be judged."""
    _raise(draft_violations(draft, setting, checks.DRY))


def referred(request: service.ReferIncidentRequest, draft: pb.ReferralDraft, setting: Setting) -> None:
    """Raises INVALID_ARGUMENT for a naming that is not acceptable; `draft` is what would become of it."""
    _raise([*draft_violations(draft, setting, checks.OF_INCIDENT), *_etag(request.etag)])


def draft_violations(draft: pb.ReferralDraft, setting: Setting, wanted: Iterable[Check]) -> list[Violation]:
    """Return all that is wrong with a draft."""
    found = list(fields.violations(draft, setting.now))
    told = {each.path for each in found}
    # A field that is wrong by itself needs no second word on what it should be.
    beside = (each for check in wanted for each in check(draft, setting) if each.path not in told)
    return [*found, *beside]


def pushed(request: service.PushReferralsRequest, setting: Setting) -> list[Violation]:
    """Return all that is wrong with a pushed record: its stream goes on."""
    bare = service.PushReferralsRequest(record_key=request.record_key)
    found = [*fields.strange(request), *fields.violations(bare, setting.now)]
    if request.action == service.PUSH_ACTION_UPSERT:
        return found + draft_violations(request.referral, setting, checks.WHOLE)
    if request.action == service.PUSH_ACTION_DELETE:
        return found + _deleted(request.referral.source, setting.now)
    return [*found, Violation("action", "PUSH_ACTION_UPSERT or PUSH_ACTION_DELETE")]


def _deleted(source: pb.Source, now: datetime) -> list[Violation]:
    found = list(fields.violations(source, now, "source"))
    if not source.system:
        found.append(Violation("source.system", _MISSING))
    if not source.record_id:
        found.append(Violation("source.recordId", _MISSING))
    return found


def decline(request: service.DeclineReferralRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without a reason or an etag."""
    _raise([*fields.violations(request, now), *_given("reason", request.reason.strip()), *_etag(request.etag)])


def approve(request: service.ApproveReferralRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without an etag."""
    _raise([*fields.violations(request, now), *_etag(request.etag)])


def offer(request: service.RecordOfferRequest, now: datetime, may_dispatch: Callable[[str], bool]) -> None:
    """Raises INVALID_ARGUMENT for an offer that is not complete.

    Nobody is handed over who did not say yes, and who was not told that it is voluntary (lead-program.md section 1).
    `may_dispatch` tells whether a case manager of this agency may be called, as far as that can be known here.
    """
    found = [*fields.violations(request, now), *_etag(request.etag)]
    if not request.outcome:
        found.append(Violation("outcome", _MISSING))
    elif request.outcome == pb.OFFER_OUTCOME_ACCEPTED:
        found += _accepted(request, may_dispatch)
    elif request.dispatch_agency_id:
        found.append(Violation("dispatchAgencyId", "left out unless the offer was accepted"))
    _raise(found)


def _accepted(request: service.RecordOfferRequest, may_dispatch: Callable[[str], bool]) -> Iterator[Violation]:
    if not request.verbal_consent:
        yield Violation("verbalConsent", "must be true for an accepted offer")
    if not request.told_voluntary:
        yield Violation("toldVoluntary", "must be true: the person is told that it is voluntary")
    if not may_dispatch(request.dispatch_agency_id):
        yield not_dispatchable()


def not_dispatchable() -> Violation:
    """Return what is said of an agency that no case manager can be called from."""
    return Violation("dispatchAgencyId", "a case-management agency of this site")


def handover(request: service.RecordHandoverRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without a time or an etag."""
    missing = [] if request.HasField("time") else [Violation("time", _MISSING)]
    _raise([*fields.violations(request, now), *missing, *_etag(request.etag)])


def imported(request: service.ImportIncidentsRequest) -> None:
    """Raises UNSUPPORTED_MEDIA_TYPE for a file that is said to be something else than XML; gRPC need not say it."""
    kind = request.file.content_type.partition(";")[0].strip().lower()
    if kind and kind not in _XML and not kind.endswith("+xml"):
        text = "Send this file with Content-Type: application/xml."
        raise LeadError(Code.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA_TYPE", text)


def page_size(given: int | None) -> int:
    """Return how many rows are asked for. Raises INVALID_ARGUMENT outside of 1 to 500."""
    if given is None or given == 0:
        return PAGE_DEFAULT
    if not 0 < given <= PAGE_MOST:
        raise invalid([Violation("pageSize", f"from 1 to {PAGE_MOST}")])
    return given


def timestamps(request: Message, now: datetime) -> None:
    """Raises INVALID_ARGUMENT when a time of a list's filter is none."""
    _raise(fields.violations(request, now))


def _etag(given: str) -> list[Violation]:
    return _given("etag", given)


def _given(path: str, value: str) -> list[Violation]:
    return [] if value else [Violation(path, _MISSING)]


def _raise(found: Iterable[Violation]) -> None:
    wrong = list(found)
    if wrong:
        raise invalid(wrong)
