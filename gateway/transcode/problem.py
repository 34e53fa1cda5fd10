"""Turns a `LeadError` into an HTTP status and an RFC 9457 problem (contract.md, Rules: Status)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from services.shared.errors import Code, LeadError, not_found

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1

_STATUSES = {
    Code.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    Code.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.ABORTED: HTTPStatus.CONFLICT,
    Code.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    # The request is well formed, the record's state forbids it (RFC 9110 section 15.5.10). 400 would say "repair the
    # request", and 412 is for conditions in headers; `reason` tells it from the other two conflicts.
    Code.FAILED_PRECONDITION: HTTPStatus.CONFLICT,
    Code.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.DEADLINE_EXCEEDED: HTTPStatus.SERVICE_UNAVAILABLE,
    # A path that isn't built yet answers 404; there are no stubs (contract.md).
    Code.UNIMPLEMENTED: HTTPStatus.NOT_FOUND,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}
# What gRPC has no code for.
_BY_REASON = {
    "BODY_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "UNSUPPORTED_MEDIA_TYPE": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "METHOD_NOT_ALLOWED": HTTPStatus.METHOD_NOT_ALLOWED,
}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class NotAllowedError(LeadError):
    """The path is known, with other HTTP methods."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        """`allowed` are the methods that it has."""
        self.allowed = ", ".join(allowed)
        super().__init__(Code.UNIMPLEMENTED, "METHOD_NOT_ALLOWED", f"This path answers to {self.allowed}.")


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that is a refusal, ready to be sent. Header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def problem(error: LeadError, request_id: str) -> Problem:
    """Return the answer to a call that failed.

    Absent and withheld must not differ by a byte (P2-02), so NOT_FOUND has one text, whoever raised it; the caller
    gives request ids of one length.
    """
    said = not_found() if error.code is Code.NOT_FOUND else error
    status = _BY_REASON.get(said.reason) or _STATUSES[said.code]
    headers: tuple[tuple[str, str], ...] = (("content-type", CONTENT_TYPE),)
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 9110 section 11.6.1.
        headers += (("www-authenticate", "Bearer"),)
    if isinstance(said, NotAllowedError):
        # RFC 9110 section 15.5.6.
        headers += (("allow", said.allowed),)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers += (("retry-after", str(RETRY_AFTER_SECONDS)),)
    return Problem(int(status), headers, _encode(_members(said, status, request_id)).encode(errors="replace"))


def unsupported_media_type(wanted: str) -> LeadError:
    """The body is of a type that this method does not read."""
    return LeadError(Code.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA_TYPE", f"Send this body with Content-Type: {wanted}.")


def body_too_large(limit: int) -> LeadError:
    """The body is longer than `limit` bytes."""
    return LeadError(Code.RESOURCE_EXHAUSTED, "BODY_TOO_LARGE", f"A body here has at most {limit} bytes.")


def method_not_allowed(allowed: tuple[str, ...]) -> LeadError:
    """The path is known, with other HTTP methods; the answer's `Allow` header names them too."""
    return NotAllowedError(allowed)


def _members(error: LeadError, status: HTTPStatus, request_id: str) -> dict[str, object]:
    members: dict[str, object] = {
        "type": f"urn:leadx:problem:{error.reason}",
        "title": status.phrase,
        "status": int(status),
        "detail": error.text,
        "reason": error.reason,
    }
    if error.violations:
        members["violations"] = [{"path": each.path, "wish": each.wish} for each in error.violations]
    return members | {"requestId": request_id}
