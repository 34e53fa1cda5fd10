"""One event, as it is told to one caller: decided, redacted, recorded and accompanied like any other answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from lead.events.v1.events_pb2 import Event
from lead.events.v1.events_service_pb2 import SubscribeResponse
from lead.options.v1 import options_pb2, words_pb2

from gateway import record
from gateway.accompany import accompany
from gateway.decisions import Held
from gateway.door import Asked, Door
from gateway.feed import readings
from gateway.feed.readings import Reading
from gateway.feed.store import Pointer
from gateway.forward import path_of
from gateway.redact import NO_RECORD, Key, redact
from services.shared.sharing.assertion import Caller


@dataclass(frozen=True, slots=True)
class Decided:
    """What a caller may be told of an event: `answer` without an event is nothing. `entries` go on the ledger first."""

    answer: SubscribeResponse
    held: Mapping[Key, Held]
    entries: tuple[EntryDraft, ...]

    @property
    def is_withheld(self) -> bool:
        """Whether nothing of the event may be told."""
        return not self.answer.HasField("event")

    @property
    def epoch(self) -> int:
        """The oldest epoch that was decided at."""
        return min(one.epoch for one in self.held.values())


def record_read(pointer: Pointer, reading: Reading) -> str:
    """Return the id of the record that is read; empty while it is not known."""
    return pointer.referral_id if reading.of_referral else pointer.event.record_id


def key_of(pointer: Pointer, reading: Reading) -> Key:
    """Return what is decided about: the event's person and source, and the record that is read."""
    return (pointer.event.subject_id, pointer.event.source_agency_id, record_read(pointer, reading))


async def decide(
    door: Door, rpc: MethodDescriptor, pointer: Pointer, reading: Reading, caller: Caller, asked: Asked
) -> Decided:
    """Ask the decision, and return what it leaves of the event. Raises LeadError when nobody decides."""
    key = key_of(pointer, reading)
    held = dict(await door.decisions.of(caller, (NO_RECORD, key), asked.request_id))
    answer = SubscribeResponse(event=_event(pointer, reading, held[key].view.source_kind))
    seen = redact(answer, lambda one: held[one].view)
    found = record.disclosures(caller, seen, held)
    accompany(answer, caller.agency_id, (one for each in found.values() for one in each.rulings()))
    # A caller's own records are on the ledger with the call itself, which has one entry.
    entries = record.entries(caller, path_of(rpc), asked.request_id, found, held, door.clock.now()) if found else ()
    for one in entries:
        one.entry_key = f"{pointer.event.event_id}/{one.entry_key}"
    return Decided(answer, held, tuple(entries))


def _event(pointer: Pointer, reading: Reading, source_kind: str) -> Event:
    event, record_id = pointer.event, record_read(pointer, reading)
    category = readings.category(event.topic, event.name, source_kind)
    told = Event(
        reference=options_pb2.Reference(
            subject_id=event.subject_id, source_agency_id=event.source_agency_id, record_id=record_id
        ),
        id=event.event_id,
        type=event.name,
        category=words_pb2.Category.ValueType(category),
        record_id=record_id,
        href=reading.href(record_id),
    )
    told.time.FromDatetime(event.happened_at)
    if not reading.of_referral:
        # The version of a record that is not read would count changes that are not seen.
        told.version = event.version
    return told
