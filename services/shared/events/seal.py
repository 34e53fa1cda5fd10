"""Sealing an event's parts, and opening those whose key was released.

AES-256-GCM with a random 96-bit nonce per section. What a ciphertext is about is bound to it as associated data
(EV-12): event id, topic, schema, time, pseudonym, category, source agency and record. So a section moved to another
event, or read as another category than its key is for, does not open.

Sizes tell: a long narrative shows. So each clear text is preceded by its length, four bytes big-endian, and filled up
with zeros to a bucket of 256 bytes times a power of two; the largest is 512 KiB.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lead.consent.v1.consent_internal_service_pb2 import DataKey, SealingLease
from lead.envelope.v1.envelope_pb2 import Routing, SealedEvent, SealedSection

from services.shared.events.split import Part

SMALLEST_BUCKET = 256
LARGEST_BUCKET = 512 * 1024
_LENGTH_BYTES = 4
_NONCE_BYTES = 12
# What the routing section is bound to in place of a category: it names none.
ROUTING = 0


class SealBrokenError(Exception):
    """A section does not open under the key that was released for it: its bytes or its place were changed."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all sections of one event are bound to; it travels in clear beside them.

    `schema` is the ce_type, `time` the ce_time as written, `pseudonym` the record key in hex.
    """

    event_id: str
    topic: str
    schema: str
    time: str
    pseudonym: str


@dataclass(frozen=True, slots=True)
class About:
    """What one section is about. It does not travel: sealing knows it, opening learns it with the key."""

    category: int
    source_agency_id: str
    record_id: str


def seal(envelope: Envelope, routing: Routing, parts: Sequence[Part], lease: SealingLease) -> bytes:
    """Return the SealedEvent, serialised, with one section per part under the lease's keys, in order.

    Raises ValueError when the lease is for another number of parts, or a part is larger than the largest bucket.
    """
    if len(lease.sections) != len(parts):
        raise ValueError("the lease does not fit the parts")
    event = SealedEvent(routing=_close(envelope, _about_routing(), routing.SerializeToString(), lease.routing))
    for part, key in zip(parts, lease.sections, strict=True):
        about = About(part.category, routing.source_agency_id, part.record_id)
        event.sections.append(_close(envelope, about, part.payload, key))
    return event.SerializeToString()


def open_routing(envelope: Envelope, section: SealedSection, key: bytes) -> Routing:
    """Return the routing section's content. Raises SealBrokenError."""
    return Routing.FromString(open_section(envelope, _about_routing(), section, key))


def open_section(envelope: Envelope, about: About, section: SealedSection, key: bytes) -> bytes:
    """Return the payload of one section, `about` being what its key was released for. Raises SealBrokenError."""
    try:
        padded = AESGCM(key).decrypt(section.nonce, section.ciphertext, _bound(envelope, about))
    except (InvalidTag, ValueError):
        raise SealBrokenError("a section does not open under its key") from None
    return _unpad(padded)


def pad(payload: bytes) -> bytes:
    """Return the payload with its length before it, filled up to the next bucket. Raises ValueError when too large."""
    size = SMALLEST_BUCKET
    while size < len(payload) + _LENGTH_BYTES:
        size *= 2
    if size > LARGEST_BUCKET:
        raise ValueError("a part of an event is too large to be sealed")
    return (len(payload).to_bytes(_LENGTH_BYTES, "big") + payload).ljust(size, b"\0")


def _unpad(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]


def _close(envelope: Envelope, about: About, payload: bytes, key: DataKey) -> SealedSection:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    ciphertext = AESGCM(key.key).encrypt(nonce, pad(payload), _bound(envelope, about))
    return SealedSection(key_id=key.key_id, nonce=nonce, ciphertext=ciphertext)


def _about_routing() -> About:
    return About(ROUTING, "", "")


def _bound(envelope: Envelope, about: About) -> bytes:
    # Lengths first, so that no two different lists of words give the same bytes.
    return _start(envelope) + _framed((str(about.category), about.source_agency_id, about.record_id))


@lru_cache(maxsize=64)
def _start(envelope: Envelope) -> bytes:
    """Return what all sections of an event are bound to; it is sealed section by section, so worked out once."""
    words = (envelope.event_id, envelope.topic, envelope.schema, envelope.time, envelope.pseudonym)
    return b"lead.seal.v1" + _framed(words)


def _framed(words: Iterable[str]) -> bytes:
    framed = [word.encode() for word in words]
    return b"".join([part for word in framed for part in (len(word).to_bytes(_LENGTH_BYTES, "big"), word)])
