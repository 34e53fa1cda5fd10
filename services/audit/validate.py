"""One function per request: all wrong fields at once, by JSON path, never a value (contract, Rules)."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message
from lead.audit.v1 import audit_internal_service_pb2 as internal
from lead.audit.v1 import audit_service_pb2 as pb
from lead.audit.v1.audit_pb2 import ENTRY_KIND_ACCESS, ENTRY_KIND_DISCLOSURE, EntryKind
from lead.options.v1.words_pb2 import Purpose, Role

from services.audit.paging import position
from services.shared.errors import Violation, invalid

PAGE_DEFAULT, PAGE_MOST = 50, 500
# One page's worth of records with all that is nested in them.
_ENTRIES_MOST = 5000
_TEXT_MOST = 200
# So that every identifying part has the same size once padded.
_ID_MOST = 120
_MISSING = "must be given"
_TEXT_WISH = f"at most {_TEXT_MOST} characters, none of them a control character"


def appended(request: internal.AppendEntriesRequest) -> None:
    """Raises INVALID_ARGUMENT for an append that can't be stored as it is: a batch stands or falls together."""
    found: list[Violation] = []
    if len(request.entries) > _ENTRIES_MOST:
        found.append(Violation("entries", f"at most {_ENTRIES_MOST}"))
    for number, draft in enumerate(request.entries[:_ENTRIES_MOST]):
        found += _draft(draft, f"entries[{number}]")
    if found:
        raise invalid(found)


def page_size(given: int) -> int:
    """Return how many rows are asked for. Raises INVALID_ARGUMENT outside of 1 to 500."""
    if not 0 <= given <= PAGE_MOST:
        raise invalid([Violation("pageSize", f"from 1 to {PAGE_MOST}")])
    return given or PAGE_DEFAULT


def page_token(given: str) -> tuple[int, int] | None:
    """Return the (place, basis) that a page goes on from, None for the first one. Raises INVALID_ARGUMENT."""
    if not given:
        return None
    found = position(given)
    if found is None:
        raise invalid([Violation("pageToken", "the nextPageToken of an answer to the same call")])
    return found


def inclusion(request: pb.GetInclusionProofRequest, size: int) -> None:
    """Raises INVALID_ARGUMENT unless the entry lies in a tree that the ledger, `size` entries long, has had."""
    found = list(_given(request, ("entry", "size")))
    if not found and not 0 < request.size <= size:
        found.append(Violation("size", "from 1 to the size of the newest checkpoint"))
    if not found and not 0 <= request.entry < request.size:
        found.append(Violation("entry", "from 0, and less than size"))
    if found:
        raise invalid(found)


def consistency(request: pb.GetConsistencyProofRequest, size: int) -> None:
    """Raises INVALID_ARGUMENT unless both are sizes that the ledger, `size` entries long, has had, in rising order."""
    found = list(_given(request, ("first", "second")))
    if not found and not 0 < request.second <= size:
        found.append(Violation("second", "from 1 to the size of the newest checkpoint"))
    if not found and not 0 < request.first <= request.second:
        found.append(Violation("first", "from 1 to second"))
    if found:
        raise invalid(found)


def _given(request: Message, names: tuple[str, ...]) -> Iterator[Violation]:
    return (Violation(name, _MISSING) for name in names if not request.HasField(name))


def _draft(draft: internal.EntryDraft, path: str) -> Iterator[Violation]:
    if draft.kind not in EntryKind.values() or not draft.kind:
        yield Violation(f"{path}.kind", "a kind of entry")
    if not draft.HasField("time"):
        yield Violation(f"{path}.time", _MISSING)
    elif not _is_time(draft):
        yield Violation(f"{path}.time", "a time from year 1 to 9999")
    if draft.role not in Role.values():
        yield Violation(f"{path}.role", "a role of the contract")
    if draft.purpose not in Purpose.values():
        yield Violation(f"{path}.purpose", "a purpose of the contract")
    yield from _texts(draft, path, _TEXT_MOST, _TEXT_WISH)
    wish = f"at most {_ID_MOST} characters, none of them a control character"
    yield from _texts(draft.identifying, f"{path}.identifying", _ID_MOST, wish)
    for number, basis in enumerate(draft.bases):
        yield from _texts(basis, f"{path}.bases[{number}]", _TEXT_MOST, _TEXT_WISH)
    yield from _of_kind(draft, path)


def _of_kind(draft: internal.EntryDraft, path: str) -> Iterator[Violation]:
    if draft.kind == ENTRY_KIND_DISCLOSURE:
        if not draft.identifying.subject_id:
            yield Violation(f"{path}.identifying.subjectId", _MISSING)
        if not draft.bases:
            yield Violation(f"{path}.bases", "one at least: a disclosure rests on something")
    # Own reads, denials and not-found are all alike, or an entry would tell which it was (architecture section 8).
    if draft.kind == ENTRY_KIND_ACCESS and draft.bases:
        yield Violation(f"{path}.bases", "none on an access entry")


def _texts(message: Message, path: str, most: int, wish: str) -> Iterator[Violation]:
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING and (len(value.encode()) > most or not value.isprintable()):
            yield Violation(f"{path}.{field.json_name}", wish)


def _is_time(draft: internal.EntryDraft) -> bool:
    try:
        draft.time.ToDatetime()
    except (ValueError, OverflowError):
        return False
    return 0 <= draft.time.nanos < 1_000_000_000
