"""One function per request: all wrong fields at once, by JSON path, never a value (contract, Rules)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from google.protobuf.message import Message
from lead.review.v1 import review_pb2 as pb
from lead.review.v1 import review_service_pb2 as service

from services.review.convert import REASONS, REVIEW_STATES, VALUES
from services.shared.errors import Violation, invalid
from services.shared.never_carried import refusals
from services.shared.wire import moment

PAGE_DEFAULT, PAGE_MOST = 50, 500
NOTE_MOST = 4_000
_MISSING = "must be given"
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
# All but tab and line ends: these are nobody's words, and PostgreSQL takes no NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def listed(request: service.ListReviewsRequest) -> None:
    """Raises INVALID_ARGUMENT for an unknown state, a time that is none, or a page size outside of 1 to 500."""
    found = []
    if request.state and not REVIEW_STATES.word(request.state):
        found.append(Violation("state", _one_of(pb.ReviewState)))
    found += _time(request, "due_before", "dueBefore")
    if not 0 <= request.page_size <= PAGE_MOST:
        found.append(Violation("pageSize", f"from 1 to {PAGE_MOST}"))
    _raise(found)


def decided(request: service.DecideChargeRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT for a decision that is not complete, or that says more than its kind has to."""
    _raise([*_decision(request), *_reason(request), *_note(request.note), *_deferral(request, now), *_etag(request)])


def _decision(request: service.DecideChargeRequest) -> Iterator[Violation]:
    if not VALUES.word(request.decision):
        yield Violation("decision", _one_of(pb.DecisionValue))


def _reason(request: service.DecideChargeRequest) -> Iterator[Violation]:
    if request.reason and not REASONS.word(request.reason):
        yield Violation("reason", _one_of(pb.RejectReason))
    elif request.decision == pb.DECISION_VALUE_DIVERT_REJECT and not request.reason:
        yield Violation("reason", "must be given with DECISION_VALUE_DIVERT_REJECT")
    elif request.decision != pb.DECISION_VALUE_DIVERT_REJECT and request.reason:
        yield Violation("reason", "left out unless the decision is DECISION_VALUE_DIVERT_REJECT")


def _note(note: str) -> Iterator[Violation]:
    if len(note) > NOTE_MOST:
        yield Violation("note", f"at most {NOTE_MOST} characters")
    elif _CONTROL.search(note):
        yield Violation("note", "text without control characters")
    else:
        yield from refusals("note", note)


def _deferral(request: service.DecideChargeRequest, now: datetime) -> Iterator[Violation]:
    asked = request.decision == pb.DECISION_VALUE_DEFER_UNTIL
    if not request.HasField("defer_until"):
        if asked:
            yield Violation("deferUntil", "must be given with DECISION_VALUE_DEFER_UNTIL")
        return
    wrong = _time(request, "defer_until", "deferUntil")
    if wrong:
        yield from wrong
    elif not asked:
        yield Violation("deferUntil", "left out unless the decision is DECISION_VALUE_DEFER_UNTIL")
    elif (moment(request, "defer_until") or now) <= now:
        yield Violation("deferUntil", "a time in the future")


def _etag(request: service.DecideChargeRequest) -> Iterator[Violation]:
    if not request.etag:
        yield Violation("etag", _MISSING)


def _time(request: Message, field: str, path: str) -> list[Violation]:
    try:
        found = moment(request, field)
    except ValueError:
        return [Violation(path, "an RFC 3339 time")]
    return [Violation(path, "a time from 1900 on")] if found is not None and found < _EARLIEST else []


def _one_of(enum: object) -> str:
    names: Iterable[str] = enum.keys()[1:]  # type: ignore[attr-defined]  # the wrapper's type is private
    return f"one of {', '.join(names)}"


def _raise(found: Iterable[Violation]) -> None:
    wrong = list(found)
    if wrong:
        raise invalid(wrong)
