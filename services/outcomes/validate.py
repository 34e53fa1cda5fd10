"""One function per request: all wrong fields at once, by JSON path, never a value (contract, Rules)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from lead.outcomes.v1 import outcomes_pb2 as pb
from lead.outcomes.v1 import outcomes_service_pb2 as service

from services.outcomes.convert import ARMS
from services.outcomes.domain import (
    CLOCKS,
    DEFINITIONS,
    FUNNEL,
    LATEST,
    LIVE_ROLES,
    POPULATIONS,
    REARREST,
    WINDOWS,
    Figure,
    Quarter,
)
from services.shared.errors import Violation, invalid
from services.shared.sharing.assertion import Caller
from services.shared.wire import moment

_MISSING = "must be given"
_PREFIX = "OUTCOME_DEFINITION_"
_POPULATION_PREFIX = "POPULATION_"
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
# As the justice feed takes them.
_SYSTEM_MOST, _RECORD_MOST = 64, 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


Asked = service.GetFunnelRequest | service.GetRearrestRequest


def created(request: service.CreateEvaluationEntryRequest, caller: Caller, reporting: Collection[str]) -> None:
    """Raises INVALID_ARGUMENT for an entry that is not complete.

    `reporting` are the agencies of the caller's sites that report justice events.
    """
    index = request.index_event
    found = []
    if not request.site_id:
        found.append(Violation("siteId", _MISSING))
    elif request.site_id not in caller.site_ids:
        found.append(_site())
    if not ARMS.word(request.arm):
        found.append(Violation("arm", _one_of(pb.Arm.keys()[1:])))
    if not index.agency_id:
        found.append(Violation("indexEvent.agencyId", _MISSING))
    elif index.agency_id not in reporting:
        found.append(Violation("indexEvent.agencyId", "a police agency, a jail or a court of the site"))
    found += _text("indexEvent.system", index.system, _SYSTEM_MOST)
    found += _text("indexEvent.recordId", index.record_id, _RECORD_MOST)
    _raise(found)


def funnel(request: service.GetFunnelRequest, caller: Caller, now: datetime) -> Figure:
    """Return what is asked for. Raises INVALID_ARGUMENT."""
    site_id, wrong = _site_of(request, caller)
    _raise([*wrong, *_time_and_snapshot(request, caller, now)])
    return Figure(kind=FUNNEL, site_id=site_id)


def rearrest(request: service.GetRearrestRequest, caller: Caller, now: datetime) -> Figure:
    """Return what is asked for, the headline where it doesn't say. Raises INVALID_ARGUMENT."""
    site_id, wrong = _site_of(request, caller)
    figure = Figure(
        kind=REARREST,
        site_id=site_id,
        definition=request.definition.removeprefix(_PREFIX) or DEFINITIONS[0],
        population=request.population.removeprefix(_POPULATION_PREFIX) or POPULATIONS[0],
        window=request.window or WINDOWS[0],
        clock=request.clock or CLOCKS[0],
    )
    words = (
        ("window", figure.window, WINDOWS),
        ("definition", figure.definition, DEFINITIONS),
        ("population", figure.population, POPULATIONS),
        ("clock", figure.clock, CLOCKS),
    )
    unknown = [Violation(path, _one_of(known)) for path, word, known in words if word not in known]
    _raise([*wrong, *unknown, *_time_and_snapshot(request, caller, now), *_frozen_clock(figure, request, caller)])
    return figure


def is_live(request: Asked, caller: Caller) -> bool:
    """Tell whether figures of today are asked for, and not a published snapshot."""
    return caller.role in LIVE_ROLES and not request.snapshot


def _site_of(request: Asked, caller: Caller) -> tuple[str, list[Violation]]:
    if request.site_id:
        return request.site_id, [] if request.site_id in caller.site_ids else [_site()]
    if len(caller.site_ids) == 1:
        return caller.site_ids[0], []
    return "", [Violation("siteId", "must be given: the own agency does not work on exactly one site")]


def _time_and_snapshot(request: Asked, caller: Caller, now: datetime) -> Iterator[Violation]:
    yield from _as_of(request, caller, now)
    if request.snapshot and request.snapshot != LATEST and Quarter.parse(request.snapshot) is None:
        yield Violation("snapshot", f"a quarter such as 2026-Q3, or {LATEST}")


def _as_of(request: Asked, caller: Caller, now: datetime) -> Iterator[Violation]:
    try:
        as_of = moment(request, "as_of_time")
    except ValueError:
        yield Violation("asOfTime", "an RFC 3339 time")
        return
    if as_of is None:
        return
    if not is_live(request, caller):
        yield Violation("asOfTime", "left out with a published snapshot, which has its own")
    elif not _EARLIEST <= as_of <= now:
        yield Violation("asOfTime", "a time from 1900 on that is not in the future")


def _frozen_clock(figure: Figure, request: Asked, caller: Caller) -> Iterator[Violation]:
    if figure.clock in CLOCKS[1:] and not is_live(request, caller):
        yield Violation("clock", f"{CLOCKS[0]}: published snapshots hold no other")


def _text(path: str, text: str, most: int) -> Iterator[Violation]:
    if not text:
        yield Violation(path, _MISSING)
    elif len(text) > most or _CONTROL.search(text) or text != text.strip():
        yield Violation(path, f"at most {most} characters, without control characters and blanks around it")


def _site() -> Violation:
    # The same for a site that is not there.
    return Violation("siteId", "a site that the own agency works on")


def _one_of(words: Sequence[str]) -> str:
    return f"one of {', '.join(words)}"


def _raise(found: Iterable[Violation]) -> None:
    wrong = list(found)
    if wrong:
        raise invalid(wrong)
