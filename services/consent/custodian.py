"""Releases data keys to an area under custody: for each key the decision, for each release a line on the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lead.audit.v1 import audit_internal_service_pb2 as audit
from lead.audit.v1 import audit_pb2
from lead.consent.v1 import consent_internal_service_pb2 as pb
from lead.options.v1 import words_pb2

from services.consent import epochs
from services.consent.convert import time_to_wire
from services.consent.custody import ROUTING_ONLY
from services.consent.decide import Ruling
from services.consent.handlers import Desk
from services.consent.keys import ROUTING, DataKey, Keys, WrappedKey
from services.consent.models import LEDGER_SPOOL
from services.consent.openings import Opening, Request
from services.shared import ledger
from services.shared.rpc.caller import current_request


@dataclass(frozen=True)
class _Opened:
    key: DataKey
    openings: tuple[Opening, ...]


def release(desk: Desk, keys: Keys, area: str, request: pb.ReleaseKeysRequest) -> pb.ReleaseKeysResponse:
    """Answer with the keys that the area may use now, and for whom; a denied or destroyed key is simply absent.

    The routing key comes only together with a section's. Releases are spooled to the ledger before they are answered.
    """
    if area in ROUTING_ONLY:
        return _routing_alone(desk, keys, request)
    hosted = frozenset(request.hosted_agency_ids)
    wanted = [key_id for event in request.events for key_id in (event.routing_key_id, *event.section_key_ids)]
    with desk.db.read() as connection:
        epoch = epochs.current(connection)
        found = keys.find(connection, wanted)
        held = desk.decider.gather(connection, {key.place.subject_id for key in found.values()})
    openings = desk.decider.openings(Request(area, hosted, desk.clock.now(), current_request().request_id))
    answer, entries = pb.ReleaseKeysResponse(epoch=epoch), []
    for event in request.events:
        routing, sections = _together(event, found)
        opened = [
            _Opened(keys.open(key), tuple(its))
            for key in sections
            if (its := openings.of(key.place, held[key.place.subject_id]))
        ]
        routing_key = keys.open(routing) if routing is not None and opened else None
        answer.events.append(_released(routing_key, opened))
        entries += _entries(desk, area, opened)
    if entries:
        with desk.db.write() as connection:
            ledger.put(connection, LEDGER_SPOOL, entries)
        desk.spool.nudge()
    return answer


def _routing_alone(desk: Desk, keys: Keys, request: pb.ReleaseKeysRequest) -> pb.ReleaseKeysResponse:
    """Answer with the routing key of every event, of every topic, and with no section.

    A routing section says which record an event is about, and nothing of what it says. The feed that rests on it shows
    nobody anything: each delivery is decided, and is a line on the ledger, at the moment it is made. So a batch is one
    note in the decision log, and no line per subject: that would double the ledger and account for no disclosure.
    """
    wanted = [event.routing_key_id for event in request.events]
    with desk.db.read() as connection:
        epoch, found = epochs.current(connection), keys.find(connection, wanted)
    answer, released = pb.ReleaseKeysResponse(epoch=epoch), 0
    for key_id in wanted:
        key = found.get(key_id)
        message = answer.events.add()
        if key is not None and key.place.category == ROUTING:
            message.routing.key_id, message.routing.key = key.key_id, keys.open(key).key
            released += 1
    desk.decider.note_routing(released, current_request().request_id, desk.clock.now())
    return answer


def _together(
    event: pb.ReleaseKeysRequest.SealedKeys, found: Mapping[bytes, WrappedKey]
) -> tuple[WrappedKey | None, list[WrappedKey]]:
    """Return an event's routing key and those of its sections: of one topic and subject, or they are no event's.

    The routing key goes out without a decision of its own, so nothing else may pass for one.
    """
    routing = found.get(event.routing_key_id)
    if routing is None or routing.place.category != ROUTING:
        return None, []
    sections = (found[key_id] for key_id in event.section_key_ids if key_id in found)
    return routing, [key for key in sections if _whose(key) == _whose(routing)]


def _whose(key: WrappedKey) -> tuple[str, str]:
    return key.place.topic, key.place.subject_id


def _released(routing: DataKey | None, opened: Sequence[_Opened]) -> pb.ReleaseKeysResponse.ReleasedKeys:
    message = pb.ReleaseKeysResponse.ReleasedKeys()
    if routing is None:
        return message
    message.routing.key_id, message.routing.key = routing.key_id, routing.key
    for one in opened:
        message.sections.append(_section(one))
    return message


def _section(opened: _Opened) -> pb.ReleasedKey:
    place = opened.key.place
    rulings = [ruling for one in opened.openings for ruling in one.rulings]
    consents = [ruling.consent for ruling in rulings if ruling.consent is not None]
    message = pb.ReleasedKey(
        key_id=opened.key.key_id,
        key=opened.key.key,
        category=words_pb2.Category.ValueType(place.category),
        source_agency_id=place.source_agency_id,
        record_id=place.record_id,
        on_behalf_of_agency_ids=[one.agency.agency_id for one in opened.openings],
        until_time=time_to_wire(min(one.until for one in opened.openings)),
        approval_id=next((ruling.approval_id for ruling in rulings if ruling.approval_id), ""),
    )
    if consents:
        message.consent_id, message.consent_version = consents[0].consent_id, consents[0].version
    return message


def _entries(desk: Desk, area: str, opened: Sequence[_Opened]) -> list[audit.EntryDraft]:
    """Return one entry per agency acted for: what was opened in its name, on which basis."""
    by_agency: dict[str, audit.EntryDraft] = {}
    for one in opened:
        for opening in one.openings:
            entry = by_agency.setdefault(opening.agency.agency_id, _entry(desk, area, opening, one.key))
            for ruling in opening.rulings:
                entry.bases.append(_basis(ruling, one.key))
    return list(by_agency.values())


def _entry(desk: Desk, area: str, opening: Opening, key: DataKey) -> audit.EntryDraft:
    entry = audit.EntryDraft(
        kind=audit_pb2.ENTRY_KIND_KEY_RELEASE,
        time=time_to_wire(desk.clock.now()),
        agency_id=opening.agency.agency_id,
        method=f"custody of {area}",
        outcome="OK",
        policy_version=desk.decider.policy.version,
        entry_key=f"keys/{desk.ids.new('rel')}",
    )
    entry.identifying.subject_id = key.place.subject_id
    entry.identifying.account_id = area
    return entry


def _basis(ruling: Ruling, key: DataKey) -> audit.EntryDraft.Basis:
    basis = audit.EntryDraft.Basis(
        categories=ruling.categories,
        row=ruling.row,
        rule=ruling.rule,
        law=ruling.law,
        source_agency_id=key.place.source_agency_id,
        approval_id=ruling.approval_id,
    )
    if ruling.consent is not None:
        basis.consent_id, basis.consent_version = ruling.consent.consent_id, ruling.consent.version
    return basis
