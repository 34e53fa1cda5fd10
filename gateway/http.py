"""The HTTP face: JSON in and out, transcoded from the contract. One ASGI application, no handler per method."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import docs, openapi
from gateway.door import Asked, Door
from gateway.events import EventService
from gateway.sse import EventStream
from gateway.transcode import request as requests
from gateway.transcode.problem import body_too_large, method_not_allowed, problem
from gateway.transcode.respond import answer
from gateway.transcode.routes import Match, MethodNotAllowed, Routes
from services.shared import labels
from services.shared.errors import LeadError, Violation, invalid, not_found
from services.shared.ids import Ids
from services.shared.rpc.status import internal
from services.shared.telemetry import metrics, trace
from services.shared.telemetry.log import described

_log = logging.getLogger(__name__)
JSON_BYTES = 1024 * 1024
RAW_BYTES = 16 * 1024 * 1024
_META = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs", "/metrics"})
_READING = ("GET", "HEAD")
# What every answer says: nothing of it is to be kept, guessed at or framed.
_ALWAYS = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"))


@dataclass(frozen=True, slots=True)
class _Fixed:
    """An answer that is the same for everybody."""

    content_type: str
    body: Callable[[], bytes]
    headers: tuple[tuple[str, str], ...] = ()


def application(
    door: Door, routes: Routes, is_ready: Callable[[], bool], ids: Ids, events: EventService | None = None
) -> ASGIApp:
    """Return the application; the contract is compiled here, once. Without `events`, its path is not there."""
    requests.prepare(routes.all)
    document = openapi.document(routes)
    described_api, readable = json.dumps(document).encode(), docs.page(document)
    fixed = {
        "/healthz": _Fixed("application/json", lambda: b'{"status":"ok"}'),
        "/openapi.json": _Fixed("application/json", lambda: described_api),
        "/docs": _Fixed("text/html; charset=utf-8", lambda: readable, (("content-security-policy", docs.CSP),)),
        "/metrics": _Fixed(metrics.CONTENT_TYPE, metrics.render),
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request, request_id = Request(scope, receive), ids.new("req")
        response = _meta(request, fixed, is_ready) or await _answered(door, routes, events, request, request_id)
        for name, value in (*_ALWAYS, ("x-request-id", request_id)):
            response.headers[name] = value
        await response(scope, receive, send)

    return app


def _meta(request: Request, fixed: dict[str, _Fixed], is_ready: Callable[[], bool]) -> Response | None:
    if request.method not in _READING:
        return None
    # Not the URL that the request was put together to: the Host header is part of that.
    path = request.scope["path"]
    if path == "/readyz":
        ready = is_ready()
        text = b'{"status":"ready"}' if ready else b'{"status":"not ready"}'
        return Response(text, 200 if ready else 503, media_type="application/json")
    found = fixed.get(path)
    if found is None:
        return None
    return Response(found.body(), 200, dict(found.headers), found.content_type)


async def _answered(
    door: Door, routes: Routes, events: EventService | None, request: Request, request_id: str
) -> Response:
    try:
        return await _served(door, routes, events, request, request_id)
    except LeadError as error:
        refusal = problem(error, request_id)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception as error:  # noqa: BLE001 - nothing of what went wrong may reach the caller
        _log.error("http.unforeseen", extra={"request_id": request_id, **described(error)})
        refusal = problem(internal(), request_id)
    return Response(refusal.body, refusal.status, dict(refusal.headers))


async def _served(
    door: Door, routes: Routes, events: EventService | None, request: Request, request_id: str
) -> Response:
    match = _matched(door, routes, events, request)
    with trace.span(f"http {match.rpc.full_name}", kind="server"):
        asked = Asked(
            _one(request, "authorization"), _one(request, "x-role"), _one(request, "x-purpose-of-use"), request_id
        )
        # Who is unknown learns nothing about his request.
        door.authenticator.identify(asked.authorization)
        message = requests.build(
            match,
            request.url.query,
            await _body(request, _limit(match)),
            _one(request, "content-type"),
            _one(request, "idempotency-key") if "idempotency-key" in request.headers else None,
        )
        if events is not None and events.serves(match.rpc):
            return EventStream(await events.open(match.rpc, _resumed(message, request), asked), request_id)
        return await door.answer(match.rpc, message, asked, _response)


def _response(message: Message) -> Response:
    result = answer(message)
    return Response(result.body, 200, media_type=result.content_type)


def _resumed(message: Message, request: Request) -> Message:
    """Let the header of a client that comes back by itself win over the address that it first came with."""
    cursor = _one(request, "last-event-id")
    if cursor:
        message.cursor = cursor  # type: ignore[attr-defined]
    return message


def _matched(door: Door, routes: Routes, events: EventService | None, request: Request) -> Match:
    raw = bytes(request.scope.get("raw_path") or b"").split(b"?")[0].decode("latin-1")
    if raw in _META:
        raise method_not_allowed(_READING)
    match = routes.match(request.method, raw)
    if isinstance(match, MethodNotAllowed):
        raise method_not_allowed(match.allowed)
    if match is None:
        raise not_found()
    is_own = events is not None and events.serves(match.rpc)
    if not is_own and not door.forwarder.serves(match.rpc):
        raise not_found()
    return match


def _limit(match: Match) -> int:
    field = match.route.body_field
    is_raw = field is not None and field.message_type is HttpBody.DESCRIPTOR
    access = labels.access(match.rpc)
    return RAW_BYTES if is_raw or (access is not None and access.batch) else JSON_BYTES


def _one(request: Request, name: str) -> str:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise invalid([Violation(name, "one header of this name")])
    return values[0] if values else ""


async def _body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise body_too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise body_too_large(limit)
    return bytes(body)
