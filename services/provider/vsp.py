"""Nothing about a person comes from or goes to a victim-service provider (privacy-law HM-01, HM-03).

It may post services, places and totals.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from services.shared.errors import Code, LeadError, Violation
from services.shared.sharing.assertion import Caller

REASON = "VSP_NO_PERSON_DATA"
_KIND = "victim_services"
_WISH = "nothing about a person, from or to a victim-service provider"
_TEXT = (
    "A victim-service provider posts services, places and totals; nothing about a person is taken from it or told it."
)
_NOT_OF_A_PERSON = frozenset({"request_id", "etag", "id"})


def is_vsp(agency_kind: str) -> bool:
    """Tell whether agencies of this kind are victim-service providers."""
    return agency_kind == _KIND


def check_message(caller: Caller, message: Message, prefix: str = "") -> None:
    """Raise INVALID_ARGUMENT `VSP_NO_PERSON_DATA` for anything a victim-service provider says of a person.

    Names every field that is set, since each of them is about somebody.
    """
    if is_vsp(caller.agency_kind):
        raise refusal(_paths(message, prefix) or [prefix or "id"])


def check(caller: Caller, path: str) -> None:
    """Raise INVALID_ARGUMENT `VSP_NO_PERSON_DATA` where a whole file is sent, or a record named."""
    if is_vsp(caller.agency_kind):
        raise refusal([path])


def refusal(paths: Iterable[str]) -> LeadError:
    """Return the refusal of these fields."""
    violations = tuple(Violation(path, _WISH) for path in paths)
    return LeadError(Code.INVALID_ARGUMENT, REASON, _TEXT, violations)


def _paths(message: Message, prefix: str) -> list[str]:
    found: list[str] = []
    for field, value in message.ListFields():
        path = f"{prefix}.{field.json_name}" if prefix else field.json_name
        inner = field.message_type
        if field.name in _NOT_OF_A_PERSON:
            continue
        if inner is None or field.is_repeated or inner.full_name.startswith("google.protobuf."):
            found.append(path)
        else:
            found += _paths(value, path)
    return found
