"""Reads where the contract puts its methods on HTTP (`google.api.http`) and refuses what could be read two ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor
from lead.options.v1 import options_pb2

from services.shared import labels

# `/v1/reviews/{id}/charges/{charge_id}:decide`: words and fields. Wildcards and patterns inside braces are not read.
_PART = r"(?:[A-Za-z0-9_-]+|\{[a-z][a-z0-9_]*\})"
_TEMPLATE = re.compile(rf"(?:/{_PART})+(?::[A-Za-z]+)?", re.ASCII)
_PARAM = re.compile(r"\{(\w+)\}", re.ASCII)
# Its stub calls the extension a plain field.
_HTTP: Any = annotations_pb2.http
_VERBS = {"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "patch": "PATCH"}


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One method at one place. Equal only to itself, so that what is made from it can be kept beside it."""

    rpc: MethodDescriptor
    # `GET`, `POST`, …
    verb: str
    template: str
    # Empty: no body; `*`: the body is the request; otherwise the field that the body is.
    body: str
    # Request fields in the path, by proto name, in path order.
    params: tuple[str, ...]

    @property
    def body_field(self) -> FieldDescriptor | None:
        """The one field that the body is; None when there is no body or the body is the whole request."""
        return self.rpc.input_type.fields_by_name[self.body] if self.body not in ("", "*") else None


def routes(services: Iterable[ServiceDescriptor]) -> tuple[Route, ...]:
    """Return the routes of all public methods with an HTTP annotation.

    Raises `ContractError` naming every annotation that is on no public method, cannot be matched without doubt, or
    binds a field that is not there.
    """
    found: list[Route] = []
    wrong: list[str] = []
    for rpc in (rpc for service in services for rpc in service.methods):
        for rule in _rules(rpc):
            route = _route(rpc, rule)
            wrong += [f"{rpc.full_name}: {text}" for text in _objections(route, rule)]
            found.append(route)
    wrong += _doubled(found)
    if wrong:
        raise labels.ContractError("HTTP annotations that cannot be served: " + "; ".join(wrong))
    return tuple(found)


def _rules(rpc: MethodDescriptor) -> Iterator[http_pb2.HttpRule]:
    options = rpc.GetOptions()
    if options.HasExtension(_HTTP):
        rule: http_pb2.HttpRule = options.Extensions[_HTTP]
        yield rule
        yield from rule.additional_bindings


def _route(rpc: MethodDescriptor, rule: http_pb2.HttpRule) -> Route:
    pattern = rule.WhichOneof("pattern") or ""
    template = str(getattr(rule, pattern)) if pattern in _VERBS else ""
    return Route(rpc, _VERBS.get(pattern, ""), template, rule.body, tuple(_PARAM.findall(template)))


def _objections(route: Route, rule: http_pb2.HttpRule) -> Iterator[str]:
    access = labels.access(route.rpc)
    if access is None or access.exposure != options_pb2.EXPOSURE_PUBLIC:
        yield "only public methods are served"
    if route.rpc.client_streaming or (route.rpc.server_streaming and route.verb != "GET"):
        yield "a stream has no HTTP form, unless it is only read"
    if not _TEMPLATE.fullmatch(route.template):
        yield "the path is not made of words and {fields}"
    if rule.response_body:
        yield "an answer is always whole"
    yield from _misbound(route)


def _misbound(route: Route) -> Iterator[str]:
    if len(set(route.params)) < len(route.params):
        yield "a path names a field twice"
    for name in route.params:
        if not _is_one(route, name, FieldDescriptor.TYPE_STRING):
            yield f"{{{name}}} is no single string field"
    if route.body in route.params or (
        route.body not in ("", "*") and not _is_one(route, route.body, FieldDescriptor.TYPE_MESSAGE)
    ):
        yield "the body is no single message field of its own"


def _is_one(route: Route, name: str, kind: int) -> bool:
    field = route.rpc.input_type.fields_by_name.get(name)
    return field is not None and field.type == kind and not field.is_repeated


def _doubled(found: Iterable[Route]) -> Iterator[str]:
    taken: dict[tuple[str, str], Route] = {}
    for route in found:
        first = taken.setdefault((route.verb, _PARAM.sub("{}", route.template)), route)
        if first is not route:
            yield f"{route.rpc.full_name}: {route.verb} {route.template} is also {first.rpc.full_name}"
