"""The log: one JSON object per line on stderr, made of an event word and fields from a list.

Write `log.info("relay.published", extra={"count": 3})`. The message is a constant: arguments are never put into it,
and exceptions are told by class and place. What other libraries log is told by level and place alone, since their
texts may hold anything.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

from typing_extensions import override

from services.shared.telemetry import trace

FIELDS = frozenset(
    {
        "address",
        "area",
        "attempt",
        "chore",
        "code",
        "consumer",
        "count",
        "epoch",
        "error_at",
        "error_class",
        "event_id",
        "kind",
        "method",
        "offset",
        "outcome",
        "partition",
        "path",
        "peer",
        "port",
        "reason",
        "request_id",
        "seconds",
        "signal",
        "state",
        "topic",
        "version",
    }
)
_OURS = ("services", "gateway", "leadx")
_LONGEST = 400
# How many places of a traceback are told, the innermost last.
_PLACES = 6


def configure(service_name: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all records from `level` up to stderr, or to the stream, in the form above. Replaces earlier handlers."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service_name))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # At DEBUG these log whole messages, keys and headers; pinned here so that no setting can bring it back.
    for chatty in ("kafka", "grpc", "httpx", "httpcore", "asyncio", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def described(error: BaseException) -> dict[str, str]:
    """Return `error_class` and `error_at` for `extra`: classes along the chain of causes, and places; never a text."""
    classes: list[str] = []
    current: BaseException | None = error
    while current is not None and len(classes) < _PLACES:
        classes.append(type(current).__name__)
        current = current.__cause__ or current.__context__
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
    places = (f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)
    return {"error_class": " from ".join(classes), "error_at": " > ".join(places)}


class JsonFormatter(logging.Formatter):
    """Turns a record into one line of JSON that holds only what is on the list."""

    def __init__(self, service_name: str) -> None:
        """Name the service in every line."""
        super().__init__()
        self._service = service_name

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            **_event(record),
        }
        traceparent = trace.current_traceparent()
        if traceparent:
            line["trace_id"] = traceparent.split("-")[1]
        if record.exc_info and record.exc_info[1] is not None:
            line |= described(record.exc_info[1])
        return json.dumps(line, separators=(",", ":"))


def _event(record: logging.LogRecord) -> dict[str, object]:
    if record.name.split(".")[0] not in _OURS:
        return {"at": f"{_short(record.pathname)}:{record.lineno}"}
    fields: dict[str, object] = {"event": str(record.msg)[:_LONGEST]}
    for name in sorted(FIELDS & vars(record).keys()):
        value = vars(record)[name]
        fields[name] = value if isinstance(value, bool | int | float) else str(value)[:_LONGEST]
    return fields


def _short(filename: str) -> str:
    # The last three parts say enough, and no line then tells how the machine is laid out.
    return "/".join(filename.replace("\\", "/").split("/")[-3:])
