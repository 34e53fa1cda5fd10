"""What an agency offers: services, their places, and how many people they served. About nobody. No IO."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.provider.domain.records import etag_of
from services.shared.errors import Violation, invalid

# Fewer are not told, and what is told is rounded, so that no difference of two figures is one person (HM-03).
_LEAST = 11
_STEP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many people, unduplicated, a service served from one day to another, both included. The raw number."""

    start: date
    end: date
    people: int

    @property
    def is_suppressed(self) -> bool:
        """Whether there were too few to tell."""
        return self.people < _LEAST

    @property
    def shown(self) -> int | None:
        """The number that may be told: rounded to 5, None when it is suppressed."""
        return None if self.is_suppressed else (self.people + _STEP // 2) // _STEP * _STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A service as its agency describes it; in a change, None stays as it was."""

    name: str | None = None
    kind: str | None = None
    site_ids: tuple[str, ...] = ()
    description: str | None = None
    capacity: int | None = None
    open_places: int | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service. `agency_kind` decides what an enrolment in it tells of a person (matrix, "Need set")."""

    id: str
    agency_id: str
    agency_kind: str
    name: str
    kind: str
    site_ids: tuple[str, ...]
    description: str = ""
    capacity: int | None = None
    # As declared, never counted from enrolments: whoever watched it would see somebody's begin or end.
    open_places: int | None = None
    state: str = "OPEN"
    totals: tuple[Total, ...] = ()
    version: int = 1
    updated_at: datetime | None = None

    @property
    def etag(self) -> str:
        """The token of this version."""
        return etag_of(self.id, self.version)


def offered(draft: Draft, service_id: str, agency_id: str, agency_kind: str) -> Service:
    """Return a new service of a draft that says its name and kind. Raises INVALID_ARGUMENT for too many open places."""
    service = Service(
        id=service_id,
        agency_id=agency_id,
        agency_kind=agency_kind,
        name=draft.name or "",
        kind=draft.kind or "",
        site_ids=draft.site_ids,
        description=draft.description or "",
        capacity=draft.capacity,
        open_places=draft.open_places,
        state=draft.state or "OPEN",
    )
    _check_places(service)
    return service


def changed(service: Service, draft: Draft) -> Service:
    """Return the service with what a draft says; the same one, version and all, when it says nothing new."""
    names = ("name", "description", "capacity", "open_places", "state")
    said = {name: getattr(draft, name) for name in names if getattr(draft, name) is not None}
    after = replace(service, **said)
    if after == service:
        return service
    _check_places(after)
    return replace(after, version=service.version + 1)


def site_for(service: Service, site_ids: Iterable[str]) -> str:
    """Return the first of these sites that the service is offered at, "" for none."""
    return next((site for site in site_ids if site in service.site_ids), "")


def _check_places(service: Service) -> None:
    if service.capacity is not None and service.open_places is not None and service.open_places > service.capacity:
        raise invalid([Violation("openPlaces", "not more than the capacity")])
