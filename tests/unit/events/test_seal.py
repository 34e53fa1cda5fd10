from __future__ import annotations

import secrets
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.consent.v1.consent_internal_service_pb2 import DataKey, SealingLease
from lead.envelope.v1.envelope_pb2 import Routing, SealedEvent, SealedSection

from services.shared.events.seal import (
    LARGEST_BUCKET,
    SMALLEST_BUCKET,
    About,
    Envelope,
    SealBrokenError,
    open_routing,
    open_section,
    pad,
    seal,
)
from services.shared.events.split import Part
from tests.unit.events.sample import CHARGE, IDENTITY

ENVELOPE = Envelope("evt_1", "sample", "lead.sample.event.v1", "2026-03-02T12:00:00Z", "aa" * 32)
ROUTING = Routing(event_name="SampleChanged", record_id="rec_1", source_agency_id="springfield-pd", version=3)
ABOUT = About(CHARGE, "springfield-pd", "chg_1")
_TAG = 16


def a_key() -> DataKey:
    return DataKey(key_id=secrets.token_bytes(16), key=secrets.token_bytes(32))


def a_lease(sections: int = 1) -> SealingLease:
    return SealingLease(pseudonym=b"\xaa" * 32, routing=a_key(), sections=[a_key() for _ in range(sections)])


def sealed(payload: bytes, lease: SealingLease) -> SealedEvent:
    part = Part(ABOUT.category, ABOUT.record_id, payload)
    return SealedEvent.FromString(seal(ENVELOPE, ROUTING, [part], lease))


@given(st.binary(max_size=5000))
def test_a_section_opens_to_what_was_sealed(payload: bytes) -> None:
    lease = a_lease()
    event = sealed(payload, lease)
    assert open_section(ENVELOPE, ABOUT, event.sections[0], lease.sections[0].key) == payload
    assert open_routing(ENVELOPE, event.routing, lease.routing.key) == ROUTING


@pytest.mark.parametrize("name", [each.name for each in fields(Envelope)])
def test_a_section_does_not_open_in_another_envelope(name: str) -> None:
    lease = a_lease()
    event = sealed(b"payload", lease)
    moved = replace(ENVELOPE, **{name: "other"})
    with pytest.raises(SealBrokenError):
        open_section(moved, ABOUT, event.sections[0], lease.sections[0].key)
    with pytest.raises(SealBrokenError):
        open_routing(moved, event.routing, lease.routing.key)


@pytest.mark.parametrize(
    "about",
    [
        replace(ABOUT, category=IDENTITY),
        replace(ABOUT, source_agency_id="shelbyville-pd"),
        replace(ABOUT, record_id="chg_2"),
        About(0, "", ""),
    ],
)
def test_a_section_does_not_open_as_something_else(about: About) -> None:
    lease = a_lease()
    with pytest.raises(SealBrokenError):
        open_section(ENVELOPE, about, sealed(b"payload", lease).sections[0], lease.sections[0].key)


def test_what_is_bound_cannot_be_shifted_between_its_words() -> None:
    lease = a_lease()
    shifted = replace(ENVELOPE, event_id="evt_1s", topic="ample")
    with pytest.raises(SealBrokenError):
        open_section(shifted, ABOUT, sealed(b"payload", lease).sections[0], lease.sections[0].key)


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBrokenError):
        open_section(ENVELOPE, ABOUT, sealed(b"payload", a_lease()).sections[0], a_key().key)


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    lease = a_lease()
    section = sealed(b"payload", lease).sections[0]
    changed = bytearray(section.ciphertext)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    broken = SealedSection(key_id=section.key_id, nonce=section.nonce, ciphertext=bytes(changed))
    with pytest.raises(SealBrokenError):
        open_section(ENVELOPE, ABOUT, broken, lease.sections[0].key)


@given(st.binary(max_size=64))
def test_rubbish_from_the_log_is_refused_alike(rubbish: bytes) -> None:
    with pytest.raises(SealBrokenError):
        open_section(ENVELOPE, ABOUT, SealedSection(nonce=rubbish, ciphertext=rubbish), a_key().key)


@given(st.integers(0, 20_000))
def test_sizes_fall_into_few_buckets(size: int) -> None:
    padded = len(pad(bytes(size)))
    assert padded >= size + 4
    assert padded in {SMALLEST_BUCKET * 2**step for step in range(12)}
    assert padded == SMALLEST_BUCKET or padded < 2 * (size + 4)
    assert len(sealed(bytes(size), a_lease()).sections[0].ciphertext) == padded + _TAG


def test_a_part_beyond_the_largest_bucket_is_refused() -> None:
    assert len(pad(bytes(LARGEST_BUCKET - 4))) == LARGEST_BUCKET
    with pytest.raises(ValueError, match="too large"):
        pad(bytes(LARGEST_BUCKET - 3))


def test_the_same_event_sealed_twice_looks_different() -> None:
    lease = a_lease()
    one, other = sealed(b"payload", lease), sealed(b"payload", lease)
    assert one.sections[0].nonce != other.sections[0].nonce
    assert one.sections[0].ciphertext != other.sections[0].ciphertext


def test_a_lease_for_other_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="lease"):
        seal(ENVELOPE, ROUTING, [Part(CHARGE, "chg_1", b"")], a_lease(sections=2))


def test_nothing_clear_is_on_the_log() -> None:
    value = sealed(b"Testa Sample", a_lease()).SerializeToString()
    for clear in (b"Testa", b"SampleChanged", b"springfield", b"rec_1", b"chg_1"):
        assert clear not in value
