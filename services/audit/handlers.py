"""What audit is asked: append, account, list, prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from lead.audit.v1.audit_pb2 import ENTRY_KIND_DISCLOSURE

from services.audit import store
from services.audit.ledger import Ledger
from services.audit.merkle import LedgerError, consistency_proof, inclusion_proof
from services.audit.refusals import as_lead_error
from services.audit.sealing import Sealing
from services.audit.signer import Signer
from services.audit.store import DatabaseNodes, Placed, Signed
from services.shared.db import Database
from services.shared.errors import not_found
from services.shared.sharing.assertion import Caller

# Subjects that a caller may look for: linked to a participant.
GrantedSubjects = Callable[[Caller], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the faces of audit work with."""

    db: Database
    sealing: Sealing
    ledger: Ledger
    signer: Signer
    granted_subjects: GrantedSubjects


class Line(NamedTuple):
    """One line of an accounting."""

    placed: Placed
    number: int
    basis: EntryDraft.Basis
    subject_id: str


def append(desk: Desk, service: str, drafts: Sequence[EntryDraft]) -> list[int]:
    """Return the place of each entry once all are durable. Raises LeadError."""
    try:
        return desk.ledger.append(service, drafts)
    except LedgerError as error:
        raise as_lead_error(error, "entries") from error


def accounting(
    desk: Desk, caller: Caller, participant_id: str, start: tuple[int, int] | None, limit: int
) -> tuple[list[Line], tuple[int, int] | None]:
    """Return at most `limit` disclosures about the caller himself, newest first, and where the next page starts.

    One line for each basis of a disclosure to an agency (42 CFR 2.25); what the person himself was shown is none
    (45 CFR 164.528(a)(1)(ii)). Raises NOT_FOUND for anybody else's.
    """
    if not participant_id or participant_id != caller.participant_id:
        raise not_found()
    known = {desk.sealing.pseudonym(subject): subject for subject in desk.granted_subjects(caller)}
    before = None if start is None else start[0] + 1
    with desk.db.read() as connection:
        found = store.newest_about(connection, ENTRY_KIND_DISCLOSURE, list(known), before, limit + 1)
    lines = [
        Line(placed, number, basis, known[placed.entry.subject_pseudonym])
        for placed in found
        for number, basis in enumerate(placed.entry.bases)
        if start is None or (placed.place, number) >= start or placed.place < start[0]
    ]
    following = lines[limit] if len(lines) > limit else None
    return lines[:limit], None if following is None else (following.placed.place, following.number)


def entries(desk: Desk, start: tuple[int, int] | None, limit: int) -> tuple[list[Placed], tuple[int, int] | None]:
    """Return at most `limit` entries, newest first, and where the next page starts."""
    with desk.db.read() as connection:
        found = store.newest(connection, None if start is None else start[0] + 1, limit + 1)
    return found[:limit], (found[limit].place, 0) if len(found) > limit else None


def newest_checkpoint(desk: Desk) -> Signed:
    """Return the newest checkpoint, signed now if the ledger grew. Raises UNAVAILABLE where nothing can be signed."""
    try:
        return desk.signer.newest()
    except LedgerError as error:
        raise as_lead_error(error, "") from error


def size(desk: Desk) -> int:
    """Return how many entries the ledger has."""
    with desk.db.read() as connection:
        return store.head(connection).size


def inclusion(desk: Desk, place: int, of_size: int) -> tuple[bytes, list[bytes]]:
    """Return the entry's leaf hash and its path to the root of the tree of that size (RFC 6962 2.1.1)."""
    try:
        with desk.db.read() as connection:
            return store.leaf(connection, place), inclusion_proof(DatabaseNodes(connection), place, of_size)
    except LedgerError as error:
        raise as_lead_error(error, "entry") from error


def consistency(desk: Desk, first: int, second: int) -> list[bytes]:
    """Return the proof that the tree of `first` entries is the beginning of that of `second` (RFC 6962 2.1.2)."""
    try:
        with desk.db.read() as connection:
            return consistency_proof(DatabaseNodes(connection), first, second)
    except LedgerError as error:
        raise as_lead_error(error, "first") from error
