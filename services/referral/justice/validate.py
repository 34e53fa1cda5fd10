"""What is wrong with a request of justice events as a whole, and with each event; paths of an event are its own.

A wrong request is refused before anything is stored. A wrong event is told beside the others and stops none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from lead.referral.v1 import justice_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import fields
from services.referral.justice.feed import Declaration
from services.referral.screening.person import birth_span
from services.shared.errors import Violation, invalid, permission_denied
from services.shared.sharing.assertion import Caller
from services.shared.wire import Words, moment

KINDS = Words(pb.JusticeEventKind, "JUSTICE_EVENT_KIND_")
MOST = fields.MOST["RecordJusticeEventsRequest.events"]
_REPORTERS = frozenset({"police", "jail", "court"})
_EARLIEST_BIRTH = date(1900, 1, 1)
_MISSING = "must be given"

# Kind -> what such an event is nothing without, beside its time.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "ARREST": ("warrant_kind",),
    "BOOKING": ("booking_number",),
    "RELEASE": ("booking_number",),
    "CHARGE_FILED": ("level",),
}
_OF_A_CHARGE = ("offence_time", "warrant_kind", "warrant_time", "level")
# Kind -> what would say something else than that it happened.
_UNFIT: Mapping[str, tuple[str, ...]] = {"DEATH": _OF_A_CHARGE}
_SOURCE = {"system": "source.system", "record_id": "source.recordId", "version": "source.version"}
_WISHES = {"warrant_kind": "must be given; WARRANT_KIND_NONE where there was probable cause"}


def reporter(caller: Caller) -> None:
    """Refuse whoever is no system of a police agency, a jail or a court (matrix, Roles)."""
    if caller.role != "police_rms" or caller.agency_kind not in _REPORTERS:
        raise permission_denied("NOT_FOR_THIS_AGENCY", "Systems of police, jails and courts call this.")


def requested(request: service.RecordJusticeEventsRequest, now: datetime) -> Declaration | None:
    """Return what the request declares, if anything. Raises INVALID_ARGUMENT for what is wrong with it as a whole."""
    bare = service.RecordJusticeEventsRequest()
    bare.CopyFrom(request)
    bare.ClearField("events")
    found = list(fields.violations(bare, now))
    declares = request.HasField("complete_through")
    if len(request.events) > MOST:
        found.append(Violation("events", f"at most {MOST}"))
    if not request.events and not declares:
        found.append(Violation("events", "must be given, or completeThrough"))
    if request.HasField("complete_from") and not declares:
        found.append(Violation("completeThrough", "must be given with completeFrom"))
    if found:
        raise invalid(found)
    end = moment(request, "complete_through")
    return None if end is None else Declaration(moment(request, "complete_from"), end)


def event(draft: pb.JusticeEventDraft, now: datetime) -> list[Violation]:
    """Return all that is wrong with an event. Of one that is taken back only its source is read."""
    if draft.action == pb.JUSTICE_ACTION_DELETE:
        source = fields.violations(draft.source, now, "source")
        return [*fields.strange(draft), *source, *_named(draft, "system", "record_id")]
    found = list(fields.violations(draft, now))
    told = {each.path for each in found}
    # A field that is wrong by itself needs no second word on what it should be.
    return [*found, *(each for check in _CHECKS for each in check(draft, now) if each.path not in told)]


def _source(draft: pb.JusticeEventDraft, _now: datetime) -> Iterator[Violation]:
    yield from _named(draft, "system", "record_id", "version")


def _named(draft: pb.JusticeEventDraft, *names: str) -> Iterator[Violation]:
    yield from (Violation(_SOURCE[name], _MISSING) for name in names if not getattr(draft.source, name))


def _kind(draft: pb.JusticeEventDraft, _now: datetime) -> Iterator[Violation]:
    """Yield what the event lacks, or has too much, by its kind."""
    kind = KINDS.word(draft.kind)
    if not draft.kind:
        yield Violation("kind", _MISSING)
    for name in ("time", *_NEEDED.get(kind, ())):
        if not _is_given(draft, name):
            yield Violation(_path(name), _WISHES.get(name, _MISSING))
    for name in _UNFIT.get(kind, ()):
        if _is_given(draft, name):
            yield Violation(_path(name), f"left out of an event of the kind {kind}")


def _order(draft: pb.JusticeEventDraft, _now: datetime) -> Iterator[Violation]:
    """Nobody is taken in for what he has not done yet, nor on a warrant that is not issued yet."""
    at = _moment(draft, "time")
    for name in ("offence_time", "warrant_time"):
        earlier = _moment(draft, name)
        if at is not None and earlier is not None and earlier > at:
            yield Violation(_path(name), "not after time")


def _warrant(draft: pb.JusticeEventDraft, _now: datetime) -> Iterator[Violation]:
    if draft.HasField("warrant_time") and draft.warrant_kind in (pb.WARRANT_KIND_UNSPECIFIED, pb.WARRANT_KIND_NONE):
        yield Violation("warrantTime", "left out where there was no warrant; else warrantKind says which")


def _person(draft: pb.JusticeEventDraft, now: datetime) -> Iterator[Violation]:
    """Somebody is meant: by the agency's own number, or by both names."""
    person = draft.person
    names = {"givenName": person.given_name.strip(), "familyName": person.family_name.strip()}
    if not person.local_id.strip():
        for name, text in names.items():
            if not text:
                yield Violation(f"person.{name}", "must be given, or person.localId")
    born = person.birth_date
    if born and not fields.TEXTS["JusticePerson.birth_date"].wrong(born):
        span = birth_span(born)
        if span is None or span[0] > now.date() or span[0] < _EARLIEST_BIRTH:
            yield Violation("person.birthDate", "a date of the calendar from 1900 on that is not in the future")


_CHECKS: tuple[Callable[[pb.JusticeEventDraft, datetime], Iterator[Violation]], ...] = (
    _source, _kind, _order, _warrant, _person,
)  # fmt: skip


def _is_given(draft: pb.JusticeEventDraft, name: str) -> bool:
    return draft.HasField(name) and bool(getattr(draft, name))  # type: ignore[arg-type]


def _moment(draft: pb.JusticeEventDraft, name: str) -> datetime | None:
    try:
        return moment(draft, name)
    except ValueError:
        # No time at all; it is refused by itself.
        return None


def _path(name: str) -> str:
    return pb.JusticeEventDraft.DESCRIPTOR.fields_by_name[name].json_name
