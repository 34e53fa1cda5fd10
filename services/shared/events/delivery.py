"""What a handler is given: the opened parts of one event, and for whom each of them was opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection

from services.shared.events.split import merge

M = TypeVar("M", bound=Message)
# Stands for "no agency": custody that an area holds in its own name (matching, evaluation).
NO_AGENCY = ""


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """One section, opened: its category, its own record's id ("" where none), for which agencies, on which basis.

    `consent_id` or `approval_id` is set where a release or a registered approval is what opened it.
    """

    category: int
    record_id: str
    payload: bytes
    agencies: frozenset[str]
    consent_id: str
    consent_version: int
    approval_id: str = ""


@dataclass(frozen=True, slots=True)
class Delivery(Generic[M]):
    """One event, as far as it may be known now.

    `late`: some of it came before, or nothing could be opened then; here is only what is new. What differs between
    agencies must be kept apart: store for an agency what `message_for` gives for it.
    """

    message_class: type[M]
    event_id: str
    topic: str
    record_id: str
    subject_id: str
    source_agency_id: str
    version: int
    time: datetime
    parts: tuple[OpenedPart, ...]
    late: bool

    @property
    def event_name(self) -> str:
        """Name of the event's message."""
        return self.message_class.DESCRIPTOR.name

    @property
    def message(self) -> M:
        """Everything that was opened, for whomever: for an area's own use, not for one agency's eyes."""
        return self._merged(self.parts)

    @property
    def agencies(self) -> tuple[str, ...]:
        """The agencies that any part was opened for, sorted; `NO_AGENCY` where custody names none."""
        return tuple(sorted({agency for part in self.parts for agency in part.agencies}))

    @property
    def opened_categories(self) -> frozenset[int]:
        """The categories of the opened parts."""
        return frozenset(part.category for part in self.parts)

    @property
    def consents(self) -> tuple[tuple[str, int], ...]:
        """Id and version of each consent that a part rests on, sorted."""
        return tuple(sorted({(part.consent_id, part.consent_version) for part in self.parts if part.consent_id}))

    @property
    def approvals(self) -> tuple[str, ...]:
        """Id of each approval that a part rests on, sorted."""
        return tuple(sorted({part.approval_id for part in self.parts if part.approval_id}))

    def message_for(self, agency_id: str) -> M:
        """Return what this agency may know of the event; empty when it is nothing."""
        return self._merged(self.parts_for(agency_id))

    def parts_for(self, agency_id: str) -> tuple[OpenedPart, ...]:
        """Return the parts opened for this agency."""
        return tuple(part for part in self.parts if agency_id in part.agencies)

    def _merged(self, parts: Iterable[OpenedPart]) -> M:
        return merge(self.message_class, (part.payload for part in parts))


@dataclass(frozen=True, slots=True)
class Handler(Generic[M]):
    """What an area does with one kind of event.

    `apply` runs in the transaction of the inbox and must do nothing outside of it; it is called once per part and
    agency, and never with an older version after a newer one of the same `series` (default: the event's name). Give two
    kinds of events one series when a newer one of either replaces both.
    `for_later_agencies`: keep opened sections sealed on the shelf, because another agency may be named in a release
    that is yet to be signed.
    """

    message_class: type[M]
    apply: Callable[[Connection, Delivery[M]], None]
    series: str = ""
    for_later_agencies: bool = False

    @property
    def full_name(self) -> str:
        """The event's full name, `lead.<area>.v1.<Name>`."""
        return self.message_class.DESCRIPTOR.full_name

    @property
    def versions_of(self) -> str:
        """Name of the series whose versions replace each other."""
        return self.series or self.full_name


AnyHandler = Handler[Any]
