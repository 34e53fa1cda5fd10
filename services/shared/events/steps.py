"""What one event of a batch turned out to be, before anything is written: opened, sealed, or not to be applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.shared.events.cloudevents import MalformedEventError, headers
from services.shared.events.incoming import Incoming, Opened, from_record, open_event
from services.shared.events.keys import ReleasedKeys
from services.shared.events.log import START, LogRecord
from services.shared.events.shelf import Shelved

Read = Incoming | MalformedEventError


@dataclass(frozen=True, slots=True)
class Step:
    """One event. `opened` is None while nothing of it may be opened; `error` says that it cannot be applied.

    `offset` and `shown` are for its dead letter; `event_id` is empty where none is to be noted in the inbox.
    """

    topic: str
    offset: int
    shown: Mapping[str, bytes]
    event_id: str = ""
    sections: tuple[Shelved, ...] = ()
    opened: Opened | None = None
    error: Exception | None = None


def read(record: LogRecord) -> Read:
    """Return the event in a record of the log, or why there is none."""
    try:
        return from_record(record)
    except MalformedEventError as error:
        return error


def live(records: Iterable[LogRecord], events: Iterable[Read], released: Mapping[str, ReleasedKeys]) -> Iterator[Step]:
    """Yield the steps of records from the log; nothing for an event that no keys were asked for, or that comes twice.

    Keys are asked for by whoever is new.
    """
    new = dict(released)
    for record, event in zip(records, events, strict=True):
        if isinstance(event, MalformedEventError):
            yield Step(record.topic, record.offset, record.headers, error=event)
        elif (keys := new.pop(event.envelope.event_id, None)) is not None:
            opened, error = _opened(event, keys)
            event_id = event.envelope.event_id
            yield Step(record.topic, record.offset, record.headers, event_id, event.sections, opened, error)


def late(events: Iterable[Incoming], released: Iterable[ReleasedKeys]) -> list[Step]:
    """Return the steps of what came off the shelf and opens: what is broken first, then older versions first."""
    steps = []
    for event, keys in zip(events, released, strict=True):
        opened, error = _opened(event, keys)
        if opened is not None or error is not None:
            shown = headers(event.envelope)
            steps.append(Step(event.envelope.topic, START, shown, "", event.sections, opened, error))
    return sorted(steps, key=lambda step: -1 if step.opened is None else step.opened.routing.version)


def _opened(event: Incoming, keys: ReleasedKeys) -> tuple[Opened | None, Exception | None]:
    try:
        return open_event(event, keys), None
    except Exception as error:  # noqa: BLE001 - nothing outside is asked here, so whatever it is, the event is to blame
        return None, error
