"""What leaves a process as a span, and where it goes: an allow-list in front of every exporter.

Span events and status descriptions never pass, since libraries put exception texts there; nor do attributes that are
not named here, nor a span name that is not made of plain words.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status
from typing_extensions import override

ALLOWED = frozenset(
    {
        "rpc.system",
        "rpc.service",
        "rpc.method",
        "rpc.grpc.status_code",
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "db.system.name",
        "db.operation.name",
        "db.query.text",
        "messaging.system",
        "messaging.operation.type",
        "messaging.destination.name",
        "messaging.destination.partition.id",
        "messaging.kafka.offset",
        "messaging.message.id",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "error.type",
        "leadx.request_id",
        "leadx.peer",
        "leadx.epoch",
        "leadx.count",
        "leadx.outcome",
    }
)
_NAME = re.compile(r"[A-Za-z0-9_./:{} -]{1,160}", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def processor(service_name: str, exporter: str) -> SpanProcessor | None:
    """Return what handles finished spans for `none`, `file:<path>` or `otlp:<endpoint>`; None for `none`.

    Raises ValueError for another word, and for a collector that is neither on loopback nor behind TLS.
    """
    kind, _, target = exporter.partition(":")
    if exporter == "none":
        return None
    if kind == "file" and target:
        # One write per span, so that a killed process has lost none of those that ended.
        return SimpleSpanProcessor(AllowListExporter(FileExporter(Path(target), service_name)))
    if kind == "otlp" and target:
        return BatchSpanProcessor(AllowListExporter(_collector(target)))
    raise ValueError("an exporter is none, file:<path> or otlp:<endpoint>")


def _collector(endpoint: str) -> SpanExporter:
    # Imported where it is wanted: it costs a quarter of a second at the start of every process.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    parts = urlsplit(endpoint)
    if parts.scheme == "https":
        # Certificate and key come from the standard OTEL_EXPORTER_OTLP_* variables.
        return OTLPSpanExporter(endpoint=endpoint, insecure=False)
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return OTLPSpanExporter(endpoint=endpoint, insecure=True)
    raise ValueError("a collector is https://, or http:// on loopback")


class AllowListExporter(SpanExporter):
    """Passes on copies of spans that hold only what may leave."""

    def __init__(self, inner: SpanExporter) -> None:
        """Stand in front of this exporter."""
        self._inner = inner

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the reduced copies."""
        return self._inner.export([_reduced(span) for span in spans])

    @override
    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)


class FileExporter(SpanExporter):
    """Appends one JSON object per span to a file that only its owner may read."""

    def __init__(self, path: Path, service_name: str) -> None:
        """Open the file, made if absent. Raises OSError."""
        self._service = service_name
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the lines by one call, which an appending file keeps whole among several processes."""
        lines = "".join(json.dumps(self._line(span), separators=(",", ":")) + "\n" for span in spans)
        try:
            os.write(self._file, lines.encode())
        except OSError:
            # A full disk costs the trace, not the request.
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    @override
    def shutdown(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _line(self, span: ReadableSpan) -> dict[str, object]:
        return {
            **_ids(span.get_span_context()),
            "parent": _ids(span.parent).get("span_id", ""),
            "name": span.name,
            "kind": span.kind.name.lower(),
            "service": self._service,
            "start": span.start_time,
            "end": span.end_time,
            "status": span.status.status_code.name,
            "links": [_ids(link.context) for link in span.links],
            "attributes": dict(span.attributes or {}),
        }


def _ids(context: SpanContext | None) -> dict[str, str]:
    if context is None:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _reduced(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name if _NAME.fullmatch(span.name) else "unnamed",
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={key: value for key, value in (span.attributes or {}).items() if key in ALLOWED},
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
