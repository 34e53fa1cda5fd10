"""Finds the method that an HTTP call means, in a tree of path segments that is built once.

What can be read two ways means nothing here: a path with an empty segment, a dot segment, an encoded slash or colon, a
control character or bytes that are not UTF-8 has no method, and is as absent as any other unknown path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from gateway.transcode import bindings
from gateway.transcode.bindings import Route

# Longer than any id; ids are a prefix and a UUID, or a slug.
_LONGEST_ID = 256
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.~-]*", re.ASCII)
# RFC 3986 section 3.3 without the colon, which starts a custom verb, and with whole escapes only.
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+", re.ASCII)
# A percent sign that is still there after decoding once is somebody's second encoding.
_NEVER_IN_AN_ID = frozenset("/\\:%?#")


@dataclass(frozen=True, slots=True)
class Match:
    """The method that was meant, and the fields that the path gave, by proto name, decoded."""

    route: Route
    path_params: Mapping[str, str]

    @property
    def rpc(self) -> MethodDescriptor:
        """The method."""
        return self.route.rpc


@dataclass(frozen=True, slots=True)
class MethodNotAllowed:
    """The path is known, with these HTTP methods only (sorted)."""

    allowed: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    param: _Node | None = None
    # Custom verb (empty for none) to HTTP method to route.
    calls: dict[str, dict[str, Route]] = field(default_factory=dict)


class Routes:
    """The route table. Made once, read by all."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Build the tree; `routes` come from `bindings.routes`, which has refused every doubt."""
        self.all = tuple(routes)
        self._root = _Node()
        for route in self.all:
            _plant(self._root, route)

    @classmethod
    def from_services(cls, services: Iterable[ServiceDescriptor]) -> Routes:
        """Return the table of all public methods with an HTTP annotation. Raises `ContractError`."""
        return cls(bindings.routes(services))

    def match(self, method: str, path: str) -> Match | MethodNotAllowed | None:
        """Return what the call means; `path` is raw, as the request line has it, without the query."""
        split = _split(path)
        found = _find(self._root, *split, at=0) if split else None
        if found is None:
            return None
        calls, values = found
        route = calls.get(method)
        if route is None:
            return MethodNotAllowed(tuple(sorted(calls)))
        return Match(route, dict(zip(route.params, reversed(values), strict=True)))


def _plant(node: _Node, route: Route) -> None:
    path, _, verb = route.template.partition(":")
    for segment in path.split("/")[1:]:
        if segment.startswith("{"):
            node.param = node.param or _Node()
            node = node.param
        else:
            node = node.words.setdefault(segment, _Node())
    node.calls.setdefault(verb, {})[route.verb] = route


def _split(path: str) -> tuple[list[str], str] | None:
    """Return the segments and the custom verb, or None where the path cannot be one of ours."""
    first, *segments = path.split("/")
    if first or not segments:
        return None
    segments[-1], colon, verb = segments[-1].partition(":")
    return None if colon and not verb else (segments, verb)


def _find(node: _Node, segments: list[str], verb: str, at: int) -> tuple[dict[str, Route], list[str]] | None:
    """Return the routes at this path by HTTP method, and the values of its parameters, last one first."""
    if at == len(segments):
        calls = node.calls.get(verb)
        return None if calls is None else (calls, [])
    word = node.words.get(segments[at])
    found = _find(word, segments, verb, at + 1) if word else None
    if found or node.param is None:
        return found
    value = _decoded(segments[at])
    found = _find(node.param, segments, verb, at + 1) if value else None
    if found and value:
        found[1].append(value)
    return found


def _decoded(segment: str) -> str | None:
    """Return the value of a parameter, percent-decoded once, or None when it can be no id."""
    if len(segment) > _LONGEST_ID:
        return None
    if _PLAIN.fullmatch(segment):
        return segment
    if not _ENCODED.fullmatch(segment):
        return None
    try:
        value = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    harmless = value.isprintable() and value not in (".", "..") and _NEVER_IN_AN_ID.isdisjoint(value)
    return value if harmless else None
