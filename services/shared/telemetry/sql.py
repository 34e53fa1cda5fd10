"""A span per SQL statement: the text with its placeholders, never a value.

Listeners on the engine, because the instrumentation package of OpenTelemetry refuses SQLAlchemy 2.1 and puts the
driver's error text, which quotes values, into its spans.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.trace import Span
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection, ExceptionContext, ExecutionContext

from services.shared.telemetry import trace

_KEY = "leadx_span"
_LONGEST = 2000


def listen(engine: Engine) -> None:
    """Record a client span for each statement that this engine executes from now on."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


def _begin(
    connection: Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    *_: Any,
) -> None:
    if context is None or not trace.recording():
        return
    verb = statement.split(maxsplit=1)[0].upper() if statement.strip() else "SQL"
    opened = trace.span(
        f"sql {verb}",
        kind="client",
        attributes={
            "db.system.name": connection.dialect.name,
            "db.operation.name": verb,
            "db.query.text": statement[:_LONGEST],
        },
    )
    vars(context)[_KEY] = (opened, opened.__enter__())


def _end(_connection: Connection, _cursor: object, _text: str, _values: object, context: object, *_: Any) -> None:
    _close(context, None)


def _fail(failure: ExceptionContext) -> None:
    _close(failure.execution_context, failure.original_exception)


def _close(context: object, error: BaseException | None) -> None:
    held: tuple[AbstractContextManager[Span], Span] | None = vars(context).pop(_KEY, None) if context else None
    if held is None:
        return
    opened, current = held
    if error is not None:
        trace.failed(current, type(error).__name__)
    opened.__exit__(None, None, None)
