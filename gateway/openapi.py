"""The public surface as an OpenAPI 3.1 document, made from the same descriptors that serve it.

Beside what OpenAPI knows, each operation says `x-permission`, `x-roles` and `x-purposes`, and each property the
`x-category` of what it tells, so that a reader sees from the contract alone who could ever see what.
"""

from __future__ import annotations

import re
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from lead.options.v1 import options_pb2, words_pb2

from gateway.transcode import problem, request
from gateway.transcode.bindings import Route
from gateway.transcode.routes import Routes
from gateway.transcode.schema import Schemas, reached
from services.shared import labels

Document = dict[str, Any]

_ABOUT = (
    "Shares what consent and law allow between the agencies of a LEAD programme. A call is made in one role and for "
    "one purpose. What the caller may not see is left out of an answer, and a record that he may not see at all is "
    "answered like one that does not exist. Times are RFC 3339. Lists take `pageSize` (at most 500) and `pageToken`."
)
# Status, name of the component, when.
_ALWAYS = (
    (400, "Invalid", "Some fields are wrong; all of them are named, no value is repeated."),
    (401, "Unauthenticated", "The caller did not prove who it is."),
    (403, "Forbidden", "The role may never make this call, or not for this purpose."),
    (404, "NotFound", "There is no such record, or none that the caller may see."),
    (429, "TooMany", "More is asked for than is served now. `Retry-After` says when to come again."),
    (503, "Unavailable", "Something that must answer first does not. Trying again is safe."),
)
_WITH_BODY = (
    (409, "Conflict", "The etag is stale, the state forbids the move, or a key was used before; `reason` says which."),
    (413, "TooLarge", "The body is too long."),
    (415, "UnsupportedMediaType", "The body is of another type than this call reads."),
)
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "reason", "requestId"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason": {"type": "string", "description": "For machines, such as `STALE_ETAG`."},
        "violations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "wish"],
                "properties": {"path": {"type": "string"}, "wish": {"type": "string"}},
            },
        },
        "requestId": {"type": "string"},
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Repeating a call with its key creates nothing twice. Kept for 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The `id` of the last event that arrived, which browsers send by themselves; it wins over `cursor`.",
    "schema": {"type": "string"},
}
_EVENTS = (
    "Events as they come. Each has its cursor as `id`, its type as `event`, such as `ReferralRecorded`, and as `data` "
    "this message in one line, without `cursor`. A comment with a new `id` is a sign of life. The stream ends with an "
    "`event` named `end`, whose data is a problem where the caller may not come back as he is."
)
_EVENT_STREAM = "text/event-stream"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")


def document(routes: Routes) -> Document:
    """Return the whole document, ready for `json.dumps`."""
    sent = reached(route.rpc.input_type for route in routes.all)
    schemas = Schemas(sent - reached(route.rpc.output_type for route in routes.all))
    paths: dict[str, Document] = {}
    for route in routes.all:
        paths.setdefault(_path(route), {})[route.verb.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "LEAD Exchange", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": area} for area in dict.fromkeys(_area(route.rpc) for route in routes.all)],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **dict(sorted(schemas.components.items()))},
            "responses": {name: _refusal(text, status) for status, name, text in _ALWAYS + _WITH_BODY},
            "parameters": {"IdempotencyKey": _KEY},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def summary(name: str) -> str:
    """Return the name of a method as words: `ListReferrals` is "List referrals"."""
    return " ".join(_WORDS.findall(name)).capitalize()


def _operation(route: Route, schemas: Schemas) -> Document:
    access = labels.access(route.rpc) or options_pb2.Access()
    roles, purposes = _roles(access), _purposes(access)
    operation: Document = {
        "operationId": route.rpc.name,
        "summary": summary(route.rpc.name),
        "tags": [_area(route.rpc)],
        "parameters": [*_parameters(route, schemas), *_headers(roles, purposes), *_key(route), *_resumed(route)],
        "responses": _responses(route, schemas),
        "x-permission": access.permission,
        "x-roles": roles,
        "x-purposes": purposes,
    }
    if route.body:
        operation["requestBody"] = _body(route, schemas)
    return operation


def _path(route: Route) -> str:
    names = {name: route.rpc.input_type.fields_by_name[name].json_name for name in route.params}
    return route.template.format(**{name: f"{{{json_name}}}" for name, json_name in names.items()})


def _parameters(route: Route, schemas: Schemas) -> list[Document]:
    fields = route.rpc.input_type.fields_by_name
    wanted = {field.name: None for field in request.plan(route).parameters.fields.values() if field.check}
    in_path = [_parameter(fields[name], "path", schemas) | {"required": True} for name in route.params]
    return in_path + [_parameter(fields[name], "query", schemas) for name in wanted]


def _parameter(field: FieldDescriptor, place: str, schemas: Schemas) -> Document:
    return {"name": field.json_name, "in": place, "schema": schemas.field(field)}


def _headers(roles: list[str], purposes: list[str]) -> list[Document]:
    return [
        {
            "name": "X-Purpose-Of-Use",
            "in": "header",
            "description": "Default: the role's own default if listed, otherwise the first listed one open to it.",
            "schema": {"type": "string", "enum": purposes},
        },
        {
            "name": "X-Role",
            "in": "header",
            "description": "For a token with several roles: the one to act in.",
            "schema": {"type": "string", "enum": roles},
        },
    ]


def _key(route: Route) -> list[Document]:
    return [{"$ref": "#/components/parameters/IdempotencyKey"}] if request.plan(route).keyed else []


def _resumed(route: Route) -> list[Document]:
    return [_LAST_EVENT_ID] if route.rpc.server_streaming else []


def _body(route: Route, schemas: Schemas) -> Document:
    plan, field = request.plan(route), route.body_field
    if plan.raw:
        return {"required": True, "content": {"*/*": {}}}
    if field is not None:
        return {"required": True, "content": {request.JSON: {"schema": schemas.field(field)}}}
    schema = schemas.object(route.rpc.input_type, without=dict(plan.elsewhere))
    return {"required": False, "content": {request.JSON: {"schema": schema}}}


def _responses(route: Route, schemas: Schemas) -> Document:
    refusals = _ALWAYS + (_WITH_BODY if route.body else ())
    found: Document = {"200": _success(route.rpc, schemas)}
    return found | {str(status): {"$ref": f"#/components/responses/{name}"} for status, name, _ in sorted(refusals)}


def _success(rpc: MethodDescriptor, schemas: Schemas) -> Document:
    if rpc.server_streaming:
        return {"description": _EVENTS, "content": {_EVENT_STREAM: {"schema": schemas.of(rpc.output_type)}}}
    return {"description": "The answer.", "content": _content(rpc.output_type, schemas)}


def _content(message: Descriptor, schemas: Schemas) -> Document:
    return {"*/*": {}} if message is HttpBody.DESCRIPTOR else {request.JSON: {"schema": schemas.of(message)}}


def _refusal(text: str, status: int) -> Document:
    found: Document = {
        "description": text,
        "content": {problem.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 429:
        found["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return found


def _area(rpc: MethodDescriptor) -> str:
    return str(rpc.containing_service.file.package.split(".")[1])


def _roles(access: options_pb2.Access) -> list[str]:
    return [words_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in access.roles]


def _purposes(access: options_pb2.Access) -> list[str]:
    return [words_pb2.Purpose.Name(purpose).removeprefix("PURPOSE_") for purpose in access.purposes]
