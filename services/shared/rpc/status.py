"""`LeadError` and `google.rpc.Status`, both ways, for the sync and the asyncio world alike.

What comes back from a peer is believed only when it carries our own `ErrorInfo`: texts that gRPC itself makes up (an
address, an exception) become one public sentence per code.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from services.shared.errors import Code, LeadError, Violation

DETAILS = "grpc-status-details-bin"
_DOMAIN = "leadx"
# Statuses travel as trailing metadata, which every receiver bounds; our channels take 256 KiB (client.py).
LARGEST_STATUS = 192 * 1024
_PUBLIC = {
    Code.UNAVAILABLE: "A service that must answer first does not. Try again.",
    Code.DEADLINE_EXCEEDED: "There was no answer in time.",
    Code.RESOURCE_EXHAUSTED: "Too much is being asked for at once. Try again later.",
    Code.UNIMPLEMENTED: "There is no such method.",
    Code.UNAUTHENTICATED: "The caller did not prove who it is.",
    Code.INTERNAL: "internal error",
}


def internal() -> LeadError:
    """Return the one answer to everything unforeseen."""
    return LeadError(Code.INTERNAL, "INTERNAL", _PUBLIC[Code.INTERNAL])


def grpc_code(code: Code) -> grpc.StatusCode:
    """Return gRPC's own code of the same name."""
    return grpc.StatusCode[code.value]


def to_status(error: LeadError, request_id: str = "", largest: int = LARGEST_STATUS) -> status_pb2.Status:
    """Return the status of an error: its text, `ErrorInfo`, `BadRequest` with the violations, `RequestInfo`.

    Violations that would make it larger than `largest` bytes are counted in a last one that says how many are left out.
    """
    status = status_pb2.Status(code=grpc_code(error.code).value[0], message=error.text)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=_DOMAIN))
    if request_id:
        status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    if error.violations:
        status.details.add().Pack(_bad_request(error.violations, largest - status.ByteSize() - 512))
    return status


def trailing(status: status_pb2.Status) -> tuple[tuple[str, bytes]]:
    """Return the trailing metadata under which every gRPC client looks for a rich status."""
    return ((DETAILS, status.SerializeToString()),)


def decode(code: grpc.StatusCode, metadata: Iterable[tuple[str, str | bytes]] | None) -> LeadError:
    """Return the error that a peer answered with, from the code and the trailing metadata of its answer."""
    for name, value in metadata or ():
        if name == DETAILS and isinstance(value, bytes):
            return from_status(value) or _generic(code)
    return _generic(code)


def from_status(serialized: bytes) -> LeadError | None:
    """Return the error in a serialized `google.rpc.Status`, or None when it is not one of ours."""
    try:
        status = status_pb2.Status.FromString(serialized)
        return _read(status)
    except (DecodeError, KeyError):
        return None


def _read(status: status_pb2.Status) -> LeadError | None:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(bad)
    if info.domain != _DOMAIN:
        return None
    code = _BY_NUMBER[status.code]
    violations = tuple(Violation(each.field, each.description) for each in bad.field_violations)
    return LeadError(code, info.reason, status.message, violations)


def _generic(code: grpc.StatusCode) -> LeadError:
    ours = _BY_NUMBER.get(code.value[0], Code.INTERNAL)
    if ours not in _PUBLIC:
        return LeadError(ours, ours.value, "The call was refused.")
    return LeadError(ours, ours.value, _PUBLIC[ours])


def _bad_request(violations: tuple[Violation, ...], room: int) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    for number, violation in enumerate(violations):
        one = error_details_pb2.BadRequest.FieldViolation(field=violation.path, description=violation.wish)
        # Tag and length of an entry take at most 8 bytes.
        room -= one.ByteSize() + 8
        if room < 0:
            left = len(violations) - number
            bad.field_violations.add(field="", description=f"and {left} more, left out of this answer")
            break
        bad.field_violations.append(one)
    return bad


_BY_NUMBER: dict[int, Code] = {grpc_code(code).value[0]: code for code in Code}
