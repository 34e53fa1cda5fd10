"""The clear attributes of an event: CloudEvents 1.0, Kafka protocol binding, binary mode.

They are all that the log's operator sees, so they are neutral on purpose: the type names the area and no event, the
subject is a pseudonym that only this topic knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from services.shared.events.seal import Envelope

CONTENT_TYPE = "application/protobuf"
TRACEPARENT = "traceparent"
_ID = re.compile(r"evt_[0-9a-f-]{36}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,64}", re.ASCII)


class MalformedEventError(Exception):
    """A record on the log is no event of the exchange; says which attribute, never its value."""


def envelope(event_id: str, area: str, time: datetime, pseudonym: bytes) -> Envelope:
    """Return the attributes of a new event of `area`, whose topic bears the same word. `time` is aware."""
    written = time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return Envelope(event_id, area, f"lead.{area}.event.v1", written, pseudonym.hex())


def headers(event: Envelope) -> dict[str, bytes]:
    """Return the record's headers, all but the traceparent, which is fresh for each hop (`relay`)."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_source": f"/lead/{event.topic}",
        "ce_type": event.schema,
        "ce_time": event.time,
        "ce_subject": event.pseudonym,
        "content-type": CONTENT_TYPE,
    }
    return {name: value.encode() for name, value in attributes.items()}


def parse(topic: str, key: bytes, given: Mapping[str, bytes]) -> Envelope:
    """Return the attributes of a record read from `topic`. Raises MalformedEventError when one is missing or off."""
    found = Envelope(
        _text(given, "ce_id"), topic, _text(given, "ce_type"), _text(given, "ce_time"), _text(given, "ce_subject")
    )
    fits = {
        "ce_id": _ID.fullmatch(found.event_id) is not None,
        "ce_specversion": given.get("ce_specversion") == b"1.0",
        "ce_source": given.get("ce_source") == f"/lead/{topic}".encode(),
        "ce_type": found.schema == f"lead.{topic}.event.v1",
        "ce_subject": _HEX.fullmatch(found.pseudonym) is not None and found.pseudonym.encode() == key,
        "content-type": given.get("content-type") == CONTENT_TYPE.encode(),
    }
    for name, is_right in fits.items():
        if not is_right:
            raise MalformedEventError(f"{name} is not what an event of the exchange carries")
    time_of(found)
    return found


def time_of(event: Envelope) -> datetime:
    """Return when the event happened, aware, in UTC. Raises MalformedEventError when ce_time is no such time."""
    try:
        moment = datetime.fromisoformat(event.time)
    except ValueError:
        raise MalformedEventError("ce_time is no RFC 3339 time") from None
    if moment.tzinfo is None:
        raise MalformedEventError("ce_time has no zone")
    return moment.astimezone(UTC)


def _text(given: Mapping[str, bytes], name: str) -> str:
    try:
        return given[name].decode("ascii")
    except (KeyError, UnicodeDecodeError):
        raise MalformedEventError(f"{name} is missing or unreadable") from None
