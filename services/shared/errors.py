"""The one error family: a code, a machine reason and a public text.

Raise a `LeadError` wherever a caller's wish cannot be met. Only the rpc chain turns it into a gRPC status, so no other
module needs to know the wire. Texts, reasons, paths and wishes are public: they never hold personal data or a value
that the caller sent, and they never tell whether a person is known (42 CFR 2.13(c)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What kind of failure it was. The words are those of gRPC, so that mapping is by name."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    ABORTED = "ABORTED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    OUT_OF_RANGE = "OUT_OF_RANGE"


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field.

    `path` is the field in lowerCamelCase with list positions, `charges[2].statute`; `wish` says what would be right,
    never what was sent.
    """

    path: str
    wish: str


class LeadError(Exception):
    """A refusal that the caller may read in full: everything in it is public."""

    def __init__(self, code: Code, reason: str, text: str, violations: tuple[Violation, ...] = ()) -> None:
        """Keep the parts; `reason` is one upper-case word group such as `CONSENT_REVOKED`."""
        super().__init__(code, reason, text, violations)
        self.code = code
        self.reason = reason
        self.text = text
        self.violations = violations

    def __str__(self) -> str:
        return f"{self.code.value} {self.reason}: {self.text}"


def invalid(violations: Iterable[Violation]) -> LeadError:
    """Some fields are wrong; names all of them at once."""
    return LeadError(Code.INVALID_ARGUMENT, "INVALID_FIELDS", "Some fields are not acceptable.", tuple(violations))


def not_found() -> LeadError:
    """There is no such record, or none that this caller may see: one answer for both (42 CFR 2.13(c))."""
    return LeadError(Code.NOT_FOUND, "NOT_FOUND", "There is no such record.")


def failed_precondition(reason: str, text: str) -> LeadError:
    """The record's state does not allow the move; `text` names the legal ones."""
    return LeadError(Code.FAILED_PRECONDITION, reason, text)


def aborted(text: str) -> LeadError:
    """The record changed since the caller read it: the etag is stale."""
    return LeadError(Code.ABORTED, "STALE_ETAG", text)


def already_exists(reason: str, text: str) -> LeadError:
    """A key that must be unique was used before, with another body."""
    return LeadError(Code.ALREADY_EXISTS, reason, text)


def permission_denied(reason: str, text: str) -> LeadError:
    """The caller's role may never do this. Where only this record is out of reach, use `not_found`."""
    return LeadError(Code.PERMISSION_DENIED, reason, text)


def unauthenticated(text: str) -> LeadError:
    """The caller did not prove who it is."""
    return LeadError(Code.UNAUTHENTICATED, "UNAUTHENTICATED", text)


def exhausted(text: str) -> LeadError:
    """The caller, or everybody together, asked for more than is served now; trying later is right."""
    return LeadError(Code.RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED", text)


def unavailable(text: str) -> LeadError:
    """Something that must answer first does not: fail closed, trying again is safe."""
    return LeadError(Code.UNAVAILABLE, "UNAVAILABLE", text)
