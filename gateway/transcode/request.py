"""Makes the request message of an HTTP call from its path, query, body and idempotency key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from gateway.transcode import json_walk, query
from gateway.transcode.bindings import Route
from gateway.transcode.problem import unsupported_media_type
from gateway.transcode.routes import Match
from services.shared.errors import Violation, invalid

JSON = "application/json"
# `Idempotency-Key` is this field (contract.md, Rules).
KEY_FIELD = "request_id"

_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)
_CHARSET = re.compile(r'charset="?utf-8"?', re.ASCII | re.IGNORECASE)
# RFC 9110 section 8.3.1, with values of parameters kept simple.
_NAME = r"[A-Za-z0-9!#$&^_.+-]+"
_MEDIA_TYPE = re.compile(rf'{_NAME}/{_NAME}(?:[ \t]*;[ \t]*{_NAME}="?{_NAME}"?)*', re.ASCII)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one route's requests are made; worked out once."""

    make: type[Message]
    # What the query may give: those of its fields that are no object.
    parameters: json_walk.Walker
    # The message that a JSON body is; None when the body is raw or absent.
    body: Descriptor | None
    # The body is kept as it is, in an `HttpBody`.
    raw: bool
    # Fields that the body could give but must not, with the reason.
    elsewhere: json_walk.Elsewhere
    # The request takes an idempotency key.
    keyed: bool


def build(
    match: Match, query_string: str = "", body: bytes = b"", content_type: str = "", idempotency_key: str | None = None
) -> Message:
    """Return the request that the call means.

    `query_string` is raw, without the question mark; `content_type` is the header's value, empty when there is none;
    the caller has limited the body. The key goes into `request_id` when the method has one, and is ignored when not.
    Raises LeadError: INVALID_ARGUMENT with every wrong path, `UNSUPPORTED_MEDIA_TYPE` for a body of another type.
    """
    known = plan(match.route)
    _check_type(known, body, content_type)
    content, wrong = _read(match.route, known, body)
    parameters, wrong_parameters = query.check(known.parameters, query_string)
    violations = wrong + wrong_parameters + _check_key(known, idempotency_key)
    if violations:
        raise invalid(violations)
    request = known.make()
    _parse(parameters, request)
    _fill(match.route, request, content, content_type)
    for name, value in match.path_params.items():
        setattr(request, name, value)
    if known.keyed and idempotency_key is not None:
        setattr(request, KEY_FIELD, idempotency_key)
    return request


def prepare(routes: Iterable[Route]) -> None:
    """Compile every route now, so that no call waits for it.

    Raises `ContractError` on a field that no JSON is read into.
    """
    for known in map(plan, routes):
        if known.body is not None:
            json_walk.prepare(known.body, known.elsewhere)


@cache
def plan(route: Route) -> Plan:
    """Return the route's plan. Raises `ContractError` on a field that no query is read into."""
    message, field = route.rpc.input_type, route.body_field
    keyed = KEY_FIELD in message.fields_by_name
    outside = tuple((name, "given by the path") for name in route.params)
    outside += ((KEY_FIELD, "given by the header Idempotency-Key"),) if keyed else ()
    in_body = message.fields_by_name if route.body == "*" else filter(None, [route.body])
    beside = tuple((name, "given by the body") for name in in_body if name not in dict(outside))
    raw = field is not None and field.message_type is HttpBody.DESCRIPTOR
    return Plan(
        make=message_factory.GetMessageClass(message),
        parameters=json_walk.walker(message, outside + beside),
        body=None if raw or not route.body else field.message_type if field else message,
        raw=raw,
        elsewhere=() if field else outside,
        keyed=keyed,
    )


def _check_type(known: Plan, body: bytes, content_type: str) -> None:
    if known.raw:
        if len(content_type) > 200 or not _MEDIA_TYPE.fullmatch(content_type):
            raise unsupported_media_type("the body's own media type")
    elif body and known.body and not _is_json(content_type):
        raise unsupported_media_type(JSON)


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    return kind.lower() == JSON and all(_CHARSET.fullmatch(parameter) for parameter in parameters)


def _read(route: Route, known: Plan, body: bytes) -> tuple[Any, tuple[Violation, ...]]:
    if known.raw:
        return body, ()
    if known.body is None:
        return None, (Violation("", "no body"),) if body else ()
    if not body and route.body == "*":
        # A method that asks for nothing but what the path says is often called without a body.
        return {}, ()
    return json_walk.check(known.body, body, known.elsewhere)


def _check_key(known: Plan, key: str | None) -> tuple[Violation, ...]:
    fits = not known.keyed or key is None or _KEY.fullmatch(key)
    return () if fits else (Violation("Idempotency-Key", "1 to 128 visible ASCII characters"),)


def _fill(route: Route, request: Message, content: Any, content_type: str) -> None:
    if route.body == "*":
        _parse(content, request)
    elif route.body:
        part: Message = getattr(request, route.body)
        part.SetInParent()
        if isinstance(part, HttpBody):
            part.content_type, part.data = content_type, content
        else:
            _parse(content, part)


def _parse(value: Any, message: Message) -> None:
    try:
        json_format.ParseDict(value, message)
    except json_format.ParseError:
        # Only where the walk lets through what protobuf refuses. The parser's text quotes values: it goes no further.
        raise invalid([Violation("", "values that the contract can hold")]) from None
