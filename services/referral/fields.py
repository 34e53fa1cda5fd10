"""What a single field of a request may hold, as data: one line per text field of the contract.

Texts of people are searched for what the exchange never carries; identifiers and codes are not, since some of them look
like an FBI number or a SID (services.shared.never_carried).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from services.shared.errors import Violation
from services.shared.never_carried import WISHES, by_shape

AHEAD = timedelta(minutes=5)
"""How far a clock of the sender may go before ours (contract, Rules)."""
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_TIMESTAMP = "google.protobuf.Timestamp"
_SECONDS = (-62_135_596_800, 253_402_300_799)
# Everything but tab and line ends: these are nobody's words, and PostgreSQL takes no NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Text:
    """A text field: its form, or its greatest length if it is free."""

    most: int
    form: re.Pattern[str] | None = None
    wish: str = ""

    def wrong(self, text: str) -> str:
        """Return what it should be, "" when it is fine. Empty text counts as not said."""
        if not text:
            return ""
        if len(text) > self.most:
            return f"at most {self.most} characters"
        if self.form is not None:
            return "" if self.form.fullmatch(text) else self.wish
        if _CONTROL.search(text):
            return "text without control characters"
        reason = by_shape(text)
        return WISHES[reason] if reason else ""


def _formed(pattern: str, wish: str, most: int = 128) -> Text:
    return Text(most, re.compile(pattern, re.ASCII), wish)


_SLUG = _formed(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", "lower-case words with - or _", 64)
_RECORD_ID = _formed(r"[!-~]([ -~]*[!-~])?", "visible ASCII characters")
_CODE = _formed(r"[A-Za-z0-9]([A-Za-z0-9 ./_-]*[A-Za-z0-9])?", "letters, digits, and blank . / _ - between them", 40)
_ORI = _formed(r"[A-Za-z0-9]{7,12}", "7 to 12 letters and digits")
_BIRTH = _formed(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", "YYYY, YYYY-MM or YYYY-MM-DD")
_NAME, _LINE, _WORDS = Text(100), Text(300), Text(20_000)

TEXTS: Mapping[str, Text] = {
    "ReferralDraft.site_id": _SLUG,
    "ReferralDraft.agency_ori": _ORI,
    "ReferralDraft.incident_number": _RECORD_ID,
    "ReferralDraft.narrative": _WORDS,
    "Source.system": _formed(r"[a-z0-9]+([._-][a-z0-9]+)*", "lower-case letters, digits, and . _ - between them", 64),
    "Source.record_id": _RECORD_ID,
    "Person.given_name": _NAME,
    "Person.family_name": _NAME,
    "Person.birth_date": _BIRTH,
    "LocalId.agency_id": _SLUG,
    "LocalId.id": _NAME,
    "Contact.phones": _formed(r"\+?[0-9(][0-9 ()./x-]{4,38}", "a phone number"),
    "Contact.address": _LINE,
    "Contact.where_found": _LINE,
    "ChargeDraft.statute": _formed(r"[\w§(][\w§().,:/ -]{0,79}", "a statute as cited"),
    "ChargeDraft.offense_code": _CODE,
    "ChargeDraft.description": _LINE,
    "Substance.drug": _NAME,
    "Substance.quantity": _formed(r"[0-9]{1,5}(\.[0-9]{1,6})?", "a decimal number above 0 and below 100000"),
    "Officer.name": _NAME,
    "Officer.serial": _CODE,
    "Officer.unit": _NAME,
    "Observation.name": _SLUG,
    "Attestation.rule": _SLUG,
    "VictimOfOffence.restitution": _LINE,
    "RecordOfferRequest.meet_at": _LINE,
    "RecordOfferRequest.dispatch_agency_id": _SLUG,
    "DeclineReferralRequest.reason": Text(1_000),
    "JusticeEventDraft.incident_number": _RECORD_ID,
    "JusticeEventDraft.booking_number": _RECORD_ID,
    "JusticePerson.given_name": _NAME,
    "JusticePerson.family_name": _NAME,
    "JusticePerson.birth_date": _BIRTH,
    "JusticePerson.local_id": _NAME,
    "PushReferralsRequest.record_key": Text(256, re.compile(r"[^\x00-\x1f]*"), "no control characters"),
}
# These are looked up, not stored: a wrong one is simply not found, or stale.
_LOOKED_UP = frozenset({"id", "etag", "request_id", "page_token"})
# The most elements of a list: 5,000 items of a referral in all, charges being the heaviest (contract, Lists).
MOST: Mapping[str, int] = {
    "ReferralDraft.charges": 500,
    "ChargeDraft.substances": 20,
    "Person.local_ids": 20,
    "Contact.phones": 20,
    "ReferralDraft.observations": 50,
    "ReferralDraft.attestations": 50,
    "RecordJusticeEventsRequest.events": 5_000,
}


def violations(message: Message, now: datetime, path: str = "") -> Iterator[Violation]:
    """Yield every field whose value is not acceptable by itself, deep, with its path in JSON names; never a value."""
    yield from strange(message, path)
    for field, value in message.ListFields():
        place = f"{path}.{field.json_name}" if path else field.json_name
        if not field.is_repeated:
            yield from _one(field, value, now, place)
            continue
        most = MOST[_short(field)]
        if len(value) > most:
            yield Violation(place, f"at most {most}")
        for number, each in enumerate(value[:most]):
            yield from _one(field, each, now, f"{place}[{number}]")


def strange(message: Message, path: str = "") -> Iterator[Violation]:
    """Yield that a message holds, by itself, fields that the contract does not have."""
    if len(UnknownFieldSet(message)):
        yield Violation(path, "only fields of the contract")


def unruled(descriptor: Descriptor) -> Iterator[str]:
    """Yield the text fields and lists of a request that no line here is about. For the tests: there must be none."""
    for field in descriptor.fields:
        if field.is_repeated and _short(field) not in MOST:
            yield _short(field)
        if field.message_type is not None and field.message_type.full_name != _TIMESTAMP:
            yield from unruled(field.message_type)
        elif field.type == FieldDescriptor.TYPE_STRING and _short(field) not in TEXTS and field.name not in _LOOKED_UP:
            yield _short(field)


def _one(field: FieldDescriptor, value: Any, now: datetime, place: str) -> Iterator[Violation]:
    if field.message_type is not None:
        if field.message_type.full_name == _TIMESTAMP:
            wish = _wrong_time(value, now)
            if wish:
                yield Violation(place, wish)
        else:
            yield from violations(value, now, place)
        return
    wish = _wrong_scalar(field, value)
    if wish:
        yield Violation(place, wish)


def _wrong_scalar(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        known = _values(field.enum_type)
        return "" if value in known else f"one of {', '.join(known.values())}"
    if field.type == FieldDescriptor.TYPE_STRING:
        rule = TEXTS.get(_short(field))
        return "" if rule is None else rule.wrong(value)
    if field.type == FieldDescriptor.TYPE_INT64:
        return "" if value > 0 else "a whole number from 1 on"
    return ""


def _wrong_time(value: Any, now: datetime) -> str:
    if not _SECONDS[0] <= value.seconds <= _SECONDS[1] or not 0 <= value.nanos < 1_000_000_000:
        return "an RFC 3339 time"
    moment = value.ToDatetime(tzinfo=UTC)
    if moment > now + AHEAD:
        return "a time that is not in the future"
    return "" if moment >= _EARLIEST else "a time from 1900 on"


@cache
def _values(enum: EnumDescriptor) -> dict[int, str]:
    return {each.number: each.name for each in enum.values if each.number}


@cache
def _short(field: FieldDescriptor) -> str:
    inside = field.containing_type
    return field.name if inside is None else f"{inside.name}.{field.name}"
