"""From ledger entries to what participants and auditors are shown."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from lead.audit.v1 import audit_pb2 as pb
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from lead.options.v1.options_pb2 import Reference
from lead.options.v1.words_pb2 import Category, Purpose, Role

from services.audit.checkpoint import from_base64, to_base64
from services.audit.store import Placed, Signed

# Bit of a mask to category; a bit that this release has no word for says nothing to a reader.
_CATEGORIES = [(1 << number, number) for number in Category.values() if number]


def disclosure(placed: Placed, basis: EntryDraft.Basis, subject_id: str) -> pb.Disclosure:
    """Return one line of a subject's accounting (42 CFR 2.25, 45 CFR 164.528)."""
    entry = placed.entry
    return pb.Disclosure(
        reference=Reference(subject_id=subject_id),
        time=entry.time,
        recipient_agency_id=entry.agency_id or None,
        recipient_role=entry.role or None,
        purpose=entry.purpose or None,
        source_agency_id=basis.source_agency_id or None,
        categories=[number for bit, number in _CATEGORIES if basis.categories & bit],
        basis=_basis(basis),
        request_id=entry.request_id or None,
        entry=placed.place,
    )


def audit_entry(placed: Placed) -> pb.AuditEntry:
    """Return an entry as an auditor may see it: nothing of whom it was about (matrix row 35)."""
    entry = placed.entry
    return pb.AuditEntry(
        entry=placed.place,
        time=entry.time,
        kind=entry.kind,
        agency_id=entry.agency_id or None,
        role=Role.Name(entry.role).removeprefix("ROLE_").lower() if entry.role else None,
        purpose=Purpose.Name(entry.purpose).removeprefix("PURPOSE_") if entry.purpose else None,
        method=entry.method or None,
        outcome=entry.outcome or None,
        policy_version=entry.policy_version or None,
        request_id=entry.request_id or None,
        leaf_hash=to_base64(placed.leaf_hash),
    )


def checkpoint(signed: Signed) -> pb.Checkpoint:
    """Return a signed tree head with its text."""
    # The text is ours and in the one spelling: origin, size, root, time.
    root = signed.note.split("\n")[2]
    return pb.Checkpoint(
        size=signed.size, root=to_base64(from_base64(root)), time=_stamp(signed.signed_at), note=signed.note
    )


def _basis(basis: EntryDraft.Basis) -> pb.Basis:
    return pb.Basis(
        rule=", ".join(part for part in (f"row {basis.row}" if basis.row else "", basis.rule) if part) or None,
        law=basis.law or None,
        consent_id=basis.consent_id or None,
        consent_version=basis.consent_version if basis.consent_id else None,
    )


def _stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment.astimezone(UTC))
    return made
