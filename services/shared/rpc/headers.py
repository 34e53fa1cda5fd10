"""What travels beside a message: request id, caller assertion, trace."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.shared.telemetry import trace

REQUEST_ID = "x-request-id"
ASSERTION = "x-lead-assertion"
# Comes back on a stream that was let in, before its first answer.
ADMITTED = "x-lead-admitted"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)

Pairs = tuple[tuple[str, str | bytes], ...]


def outgoing(request_id: str, assertion: str = "", more: Iterable[tuple[str, str | bytes]] = ()) -> Pairs:
    """Return the metadata of a call: the given pairs, the current trace, the assertion if any, and the request id.

    A request id among the given pairs stands; two would count as none.
    """
    pairs = [*more]
    if all(name != REQUEST_ID for name, _ in pairs):
        pairs.append((REQUEST_ID, request_id))
    if assertion:
        pairs.append((ASSERTION, assertion))
    return trace.inject(pairs)


def only(metadata: Iterable[tuple[str, str | bytes]] | None, name: str) -> str:
    """Return the one text under this name; empty when it is absent, doubled or not text, so that none can be chosen."""
    found = [value for key, value in metadata or () if key == name]
    return found[0] if len(found) == 1 and isinstance(found[0], str) else ""


def request_id(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """Return the request id that came along, empty unless it is up to 64 letters, digits, `_`, `.` or `-`."""
    given = only(metadata, REQUEST_ID)
    return given if _REQUEST_ID.fullmatch(given) else ""
