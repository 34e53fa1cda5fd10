"""An event as it came, from the log or off the shelf: what to ask keys for, and what opens with those released."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from lead.consent.v1.consent_internal_service_pb2 import ReleasedKey
from lead.envelope.v1.envelope_pb2 import Routing, SealedEvent, SealedSection

from services.shared.events import cloudevents
from services.shared.events.cloudevents import TRACEPARENT, MalformedEventError
from services.shared.events.delivery import NO_AGENCY, OpenedPart
from services.shared.events.keys import ReleasedKeys, SealedKeys
from services.shared.events.log import LogRecord
from services.shared.events.seal import About, Envelope, SealBrokenError, open_routing, open_section
from services.shared.events.shelf import Shelved


@dataclass(frozen=True, slots=True)
class Incoming:
    """The sealed sections of one event, all of them or those that lay on the shelf. `trace_parent` is the hop's."""

    envelope: Envelope
    routing: SealedSection
    sections: tuple[Shelved, ...]
    trace_parent: str

    def ask(self) -> SealedKeys:
        """Return the request for its keys."""
        ids = [one.section.key_id for one in self.sections]
        return SealedKeys(routing_key_id=self.routing.key_id, section_key_ids=ids)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the released keys gave: where the event belongs, and each section with its part, None while it is sealed."""

    incoming: Incoming
    routing: Routing
    sections: tuple[tuple[Shelved, OpenedPart | None], ...]


def from_record(record: LogRecord) -> Incoming:
    """Return the event in a record of the log. Raises MalformedEventError when there is none."""
    envelope = cloudevents.parse(record.topic, record.key, record.headers)
    try:
        event = SealedEvent.FromString(record.value)
    except DecodeError:
        raise MalformedEventError("the value is no sealed event") from None
    key_ids = [section.key_id for section in event.sections]
    if len(set(key_ids)) != len(key_ids):
        # Merged twice, a list would come out doubled.
        raise MalformedEventError("two sections are under one key")
    hop = record.headers.get(TRACEPARENT, b"").decode("ascii", "replace")[:55]
    sections = tuple(Shelved(envelope, event.routing, section, hop) for section in event.sections)
    return Incoming(envelope, event.routing, sections, hop)


def from_shelf(found: Iterable[Shelved]) -> list[Incoming]:
    """Return the events that these sections are of, in the order in which they came."""
    events: dict[str, list[Shelved]] = {}
    for one in found:
        events.setdefault(one.envelope.event_id, []).append(one)
    return [Incoming(its[0].envelope, its[0].routing, tuple(its), its[0].trace_parent) for its in events.values()]


def open_event(incoming: Incoming, released: ReleasedKeys) -> Opened | None:
    """Open what may be opened; None when nothing may.

    Raises SealBrokenError when bytes were changed, or a key is for another source than the event says it is from.
    """
    keys = {key.key_id: key for key in released.sections}
    if not keys or released.routing.key_id != incoming.routing.key_id:
        return None
    routing = open_routing(incoming.envelope, incoming.routing, released.routing.key)
    sections = tuple((one, _part(one, keys.get(one.section.key_id), routing)) for one in incoming.sections)
    return Opened(incoming, routing, sections)


def _part(sealed: Shelved, key: ReleasedKey | None, routing: Routing) -> OpenedPart | None:
    if key is None:
        return None
    if key.source_agency_id != routing.source_agency_id:
        raise SealBrokenError("a section is of another source than its event")
    about = About(key.category, key.source_agency_id, key.record_id)
    return OpenedPart(
        category=key.category,
        record_id=key.record_id,
        payload=open_section(sealed.envelope, about, sealed.section, key.key),
        agencies=frozenset(key.on_behalf_of_agency_ids) or frozenset({NO_AGENCY}),
        consent_id=key.consent_id,
        consent_version=key.consent_version,
        approval_id=key.approval_id,
    )
