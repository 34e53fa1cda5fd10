"""Spans as the processes wrote them, and the way of one request through them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Place = tuple[str, str]
"""(trace id, span id)."""


@dataclass(frozen=True, slots=True)
class Span:
    """One line of a file of spans; `start` in nanoseconds since 1970."""

    place: Place
    parent: str
    name: str
    service: str
    start: int
    links: tuple[Place, ...]

    @property
    def trace(self) -> str:
        """Id of the trace that it belongs to."""
        return self.place[0]


@dataclass(frozen=True, slots=True)
class Way:
    """The hops of one request, each found by following parents inside a trace and links between traces."""

    gateway: Span
    service: Span
    outbox: Span
    log: Span
    consumer: Span

    @property
    def hops(self) -> tuple[Span, ...]:
        """In the order in which it went."""
        return (self.gateway, self.service, self.outbox, self.log, self.consumer)


def read(folder: Path) -> list[Span]:
    """Return every span in the files of a folder; a line that is still being written is left out."""
    return [span for path in sorted(folder.glob("*.jsonl")) for span in _lines(path)]


def follow(spans: Sequence[Span], method: str, area: str, consumer: str, since: int) -> Way | None:
    """Return the way of the first call of `method` (`lead.….Service.Method`) over HTTP since then, None until it ended.

    It enters at the gateway, is served by `area`, and its event reaches `consumer`.
    """
    enters = (one for one in spans if one.service == "gateway" and one.name == f"http {method}" and one.start >= since)
    gateway = min(enters, key=lambda one: one.start, default=None)
    if gateway is None:
        return None
    served = f"/{method.rpartition('.')[2]}"
    inside = [one for one in spans if one.trace == gateway.trace]
    for service in (one for one in inside if one.service == area and one.name.endswith(served)):
        if _comes_from(service, gateway, inside):
            return _onward(spans, gateway, service, consumer)
    return None


def _onward(spans: Sequence[Span], gateway: Span, service: Span, consumer: str) -> Way | None:
    """Follow the links out of the request's trace: to the outbox, and from where the log took it to the consumer."""
    for outbox in _linked(spans, service.place, "outbox publish", service.service):
        for log in (one for one in spans if one.parent == outbox.place[1] and one.name == "log append"):
            for last in _linked(spans, log.place, "consume", consumer):
                if service.place in last.links:
                    return Way(gateway, service, outbox, log, last)
    return None


def _linked(spans: Iterable[Span], to: Place, name: str, service: str) -> Iterator[Span]:
    return (one for one in spans if one.service == service and one.name == name and to in one.links)


def _comes_from(span: Span, ancestor: Span, inside: Sequence[Span]) -> bool:
    by_id = {one.place[1]: one for one in inside}
    current: Span | None = span
    # A trace is no deeper than it has spans, whatever its file says.
    for _ in inside:
        if current is None or current.place == ancestor.place:
            break
        current = by_id.get(current.parent)
    return current is not None and current.place == ancestor.place


def _lines(path: Path) -> Iterator[Span]:
    for line in path.read_text("utf-8").splitlines():
        try:
            yield _span(json.loads(line))
        except (ValueError, KeyError):
            continue


def _span(line: dict[str, Any]) -> Span:
    links = tuple((link["trace_id"], link["span_id"]) for link in line["links"])
    place = (line["trace_id"], line["span_id"])
    return Span(place, line["parent"], line["name"], line["service"], int(line["start"]), links)
