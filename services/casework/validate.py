"""One function per request: all wrong fields at once, by JSON path, never a value (contract, Rules)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service

from services.casework.convert import FAIL_REASONS, HANDOFF_STATES, MATCH_STATES, NEEDS
from services.shared.errors import Violation, invalid
from services.shared.never_carried import WISHES, by_shape
from services.shared.wire import Words

PAGE_DEFAULT, PAGE_MOST = 50, 500
_MISSING = "must be given"
# How far a clock of the sender may go before ours (contract, Rules).
_AHEAD = timedelta(minutes=5)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_SECONDS = (-62_135_596_800, 253_402_300_799)
_MOST_NAME, _MOST_LINE, _MOST_PHONES = 100, 300, 20
# Everything but tab and line ends: these are nobody's words, and PostgreSQL takes no NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./x-]{4,38}", re.ASCII)
_BIRTH = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", re.ASCII)


def accept(request: service.AcceptHandoffRequest) -> None:
    """Raises INVALID_ARGUMENT without an etag."""
    _raise(_given("etag", request.etag))


def arrive(request: service.ArriveHandoffRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without an etag, or with a time ahead."""
    _raise([*_time(request, "time", "time", now), *_given("etag", request.etag)])


def complete(request: service.CompleteHandoffRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT without a name, unless a known participant is told, and for what is no such fact."""
    known = bool(request.participant_id)
    _raise(
        [
            *_person(request.person, now, needed=not known or bool(request.person.ListFields())),
            *_contact(request.contact),
            *_given("etag", request.etag),
        ]
    )


def fail(request: service.FailHandoffRequest) -> None:
    """Raises INVALID_ARGUMENT without a reason or an etag."""
    told = FAIL_REASONS.word(request.reason)
    reason = [] if told else [Violation("reason", _one_of(pb.FailReason.keys()))]
    _raise([*reason, *_given("etag", request.etag)])


def intake(request: service.CompleteIntakeRequest, now: datetime) -> None:
    """Raises INVALID_ARGUMENT for a time ahead, needs that are none or told twice, and without an etag."""
    _raise(
        [
            *_time(request, "intake_time", "intakeTime", now),
            *_needs(request.needs),
            *_given("etag", request.etag),
        ]
    )


def list_handoffs(request: service.ListHandoffsRequest) -> None:
    """Raises INVALID_ARGUMENT for a state that is none, or a page size outside of 0 to 500."""
    state = _word("state", request.state, HANDOFF_STATES, pb.HandoffState.keys())
    _raise([*state, *_page_size(request.page_size)])


def list_participants(request: service.ListParticipantsRequest) -> None:
    """Raises INVALID_ARGUMENT for a page size outside of 0 to 500."""
    _raise(_page_size(request.page_size))


def list_matches(request: service.ListPersonMatchesRequest) -> None:
    """Raises INVALID_ARGUMENT for a state that is none, or a page size outside of 0 to 500."""
    state = _word("state", request.state, MATCH_STATES, pb.MatchState.keys())
    _raise([*state, *_page_size(request.page_size)])


def decide_match(request: service.ConfirmPersonMatchRequest | service.RejectPersonMatchRequest) -> None:
    """Raises INVALID_ARGUMENT without an etag."""
    _raise(_given("etag", request.etag))


def _person(person: pb.ParticipantPerson, now: datetime, *, needed: bool) -> Iterator[Violation]:
    names: Mapping[str, str] = {"givenName": person.given_name, "familyName": person.family_name}
    for name, text in names.items():
        if needed and not text.strip():
            yield Violation(f"person.{name}", _MISSING)
        yield from _text(f"person.{name}", text, _MOST_NAME)
    if person.birth_date and not _is_birth_date(person.birth_date, now):
        yield Violation("person.birthDate", "YYYY, YYYY-MM or YYYY-MM-DD from 1900 on, not in the future")


def _contact(contact: pb.ParticipantContact) -> Iterator[Violation]:
    if len(contact.phones) > _MOST_PHONES:
        yield Violation("contact.phones", f"at most {_MOST_PHONES}")
    for place, phone in enumerate(contact.phones[:_MOST_PHONES]):
        if not _PHONE.fullmatch(phone):
            yield Violation(f"contact.phones[{place}]", "a phone number")
    yield from _text("contact.address", contact.address, _MOST_LINE)
    yield from _text("contact.whereFound", contact.where_found, _MOST_LINE)


def _text(path: str, text: str, most: int) -> Iterator[Violation]:
    if len(text) > most:
        yield Violation(path, f"at most {most} characters")
    elif _CONTROL.search(text):
        yield Violation(path, "text without control characters")
    elif reason := by_shape(text):
        yield Violation(path, WISHES[reason])


def _is_birth_date(text: str, now: datetime) -> bool:
    if not _BIRTH.fullmatch(text):
        return False
    year, month, day = (*map(int, text.split("-")), 1, 1)[:3]
    if not _EARLIEST.year <= year <= now.year or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return False
    # A day's grace: it may be tomorrow already where the person was born.
    return date(year, month, day) <= now.date() + timedelta(days=1)


def _time(request: Message, field: str, path: str, now: datetime) -> Iterator[Violation]:
    if not request.HasField(field):
        return
    value = getattr(request, field)
    if not _SECONDS[0] <= value.seconds <= _SECONDS[1] or not 0 <= value.nanos < 1_000_000_000:
        yield Violation(path, "an RFC 3339 time")
    elif value.ToDatetime(tzinfo=UTC) > now + _AHEAD:
        yield Violation(path, "a time that is not in the future")
    elif value.ToDatetime(tzinfo=UTC) < _EARLIEST:
        yield Violation(path, "a time from 1900 on")


def _needs(needs: Iterable[int]) -> Iterator[Violation]:
    given = list(needs)
    times = Counter(given)
    if not given:
        return
    for place, need in enumerate(given[: 2 * len(pb.Need.keys())]):
        if not NEEDS.word(need):
            yield Violation(f"needs[{place}]", _one_of(pb.Need.keys()))
        elif times[need] > 1:
            yield Violation(f"needs[{place}]", "given once")


def _word(path: str, number: int, words: Words, names: Iterable[str]) -> Iterator[Violation]:
    if number and not words.word(number):
        yield Violation(path, _one_of(names))


def _one_of(names: Iterable[str]) -> str:
    return f"one of {', '.join(name for name in names if not name.endswith('_UNSPECIFIED'))}"


def _page_size(given: int) -> Iterator[Violation]:
    if not 0 <= given <= PAGE_MOST:
        yield Violation("pageSize", f"from 0 to {PAGE_MOST}; 0 means {PAGE_DEFAULT}")


def _given(path: str, value: str) -> list[Violation]:
    return [] if value else [Violation(path, _MISSING)]


def _raise(found: Iterable[Violation]) -> None:
    wrong = list(found)
    if wrong:
        raise invalid(wrong)
