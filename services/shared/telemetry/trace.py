"""Spans and the W3C `traceparent` that joins them.

Trace ids never cross a topic: an event travels under a fresh traceparent, and the real parent lies sealed inside it as
a span link (architecture section 6). No baggage and no tracestate are read or sent, they could carry anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from services.shared.telemetry import export

HEADER = "traceparent"
Kind = Literal["internal", "server", "client", "producer", "consumer"]
_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_IDS = RandomIdGenerator()


class _Process:
    """What this process records with; before `configure`, nothing, while traces of others still pass through."""

    tracer: api.Tracer = api.NoOpTracer()
    provider: TracerProvider | None = None


def configure(service_name: str, exporter: str = "none") -> None:
    """Send this process's spans to `none`, `file:<path>` (JSON lines) or `otlp:<endpoint>`, under this service name.

    Raises ValueError for another word, and for a collector that is neither on loopback nor behind TLS.
    """
    processor = export.processor(service_name, exporter)
    shutdown()
    if processor is None:
        return
    # A resource made by hand: the default one looks at the machine and the environment.
    provider = TracerProvider(resource=Resource({"service.name": service_name}), span_limits=SpanLimits(max_events=0))
    provider.add_span_processor(processor)
    _Process.provider = provider
    _Process.tracer = provider.get_tracer("leadx")


def shutdown() -> None:
    """Write out what is still held and stop recording. Safe to call twice."""
    provider, _Process.provider, _Process.tracer = _Process.provider, None, api.NoOpTracer()
    if provider is not None:
        provider.shutdown()


def recording() -> bool:
    """Tell whether spans made here go anywhere."""
    return _Process.provider is not None


@contextmanager
def span(
    name: str,
    *,
    kind: Kind = "internal",
    parent: Context | None = None,
    links: Sequence[str] = (),
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Iterator[api.Span]:
    """Record what happens inside as one span, current while it lasts.

    `parent` comes from `extract` and defaults to the current span; `links` are traceparents, malformed ones are left
    out. A span that an exception leaves is marked with the exception's class, never with its text.
    """
    with _Process.tracer.start_as_current_span(
        name,
        context=parent,
        kind=api.SpanKind[kind.upper()],
        attributes=attributes,
        links=_links(links),
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            failed(current, type(error).__name__)
            raise


def failed(current: api.Span, error_type: str) -> None:
    """Mark a span as failed: `error_type` is a class name or a status code."""
    current.set_attribute("error.type", error_type)
    current.set_status(api.StatusCode.ERROR)


def inject(metadata: Iterable[tuple[str, str | bytes]]) -> tuple[tuple[str, str | bytes], ...]:
    """Return the pairs with the current traceparent among them, instead of any that was there."""
    others = tuple(pair for pair in metadata if pair[0] != HEADER)
    here = current_traceparent()
    return (*others, (HEADER, here)) if here else others


def extract(metadata: Iterable[tuple[str, str | bytes]] | None) -> Context:
    """Return the context of the traceparent among the pairs; an empty one, the start of a trace, when there is none."""
    for name, value in metadata or ():
        if name == HEADER:
            found = _parse(value.decode("ascii", "replace") if isinstance(value, bytes) else value)
            if found is not None:
                return api.set_span_in_context(api.NonRecordingSpan(found), Context())
    return Context()


def current_traceparent() -> str:
    """Return the traceparent of the current span, empty outside of any."""
    here = api.get_current_span().get_span_context()
    return _format(here.trace_id, here.span_id, here.trace_flags) if here.is_valid else ""


def fresh_traceparent() -> str:
    """Return a traceparent that nothing joins with the current span."""
    return _format(_IDS.generate_trace_id(), _IDS.generate_span_id(), api.TraceFlags.SAMPLED)


def _format(trace_id: int, span_id: int, flags: int) -> str:
    return f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"


def _parse(text: str) -> api.SpanContext | None:
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in match.groups())
    found = api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=api.TraceFlags(flags))
    return found if found.is_valid else None


def _links(traceparents: Sequence[str]) -> list[api.Link]:
    return [api.Link(found) for found in map(_parse, traceparents) if found is not None]
