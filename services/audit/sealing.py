"""From a draft to the bytes of a ledger entry, and back to who it was about: everything that needs the audit key.

The stored bytes are the open part followed by nonce and sealed part, which protobuf reads as one `LedgerEntry`. The
open part is bound to the sealed one as it lies there, so nothing is ever serialised again to open it.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import DecodeError
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft, Identifying, LedgerEntry
from lead.audit.v1.audit_pb2 import ENTRY_KIND_ACCESS

from services.audit import entry
from services.audit.entry import KEY_BYTES, SALT_BYTES, SealedIdentity
from services.audit.merkle import LedgerError

# Identifying parts are padded to a multiple of this, so that the length of an entry tells nothing of who it is about.
_BUCKET = 384
_LENGTH_BYTES = 2


class Sealing:
    """One audit key and what is made with it."""

    def __init__(self, key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        """Derive what is needed from the area's key. Raises LedgerError `KEY` unless it has 32 bytes."""
        if len(key) != KEY_BYTES:
            raise LedgerError("KEY", "the key must have 32 bytes")
        self._identity, self._pseudonym, self._mark = (
            HKDF(SHA256(), KEY_BYTES, None, f"lead.audit.v1/{use}".encode()).derive(key)
            for use in ("identity", "pseudonym", "mark")
        )
        self._random = random

    def entry(self, draft: EntryDraft) -> bytes:
        """Return the bytes to store: salted, the identifying part sealed (AU-05)."""
        opened = LedgerEntry(
            kind=draft.kind,
            agency_id=draft.agency_id,
            role=draft.role,
            purpose=draft.purpose,
            method=draft.method,
            outcome=draft.outcome,
            policy_version=draft.policy_version,
            request_id=draft.request_id,
            bases=_merged(draft.bases),
            subject_pseudonym=self._finding(draft),
            salt=self._random(SALT_BYTES),
        )
        opened.time.CopyFrom(draft.time)
        head = opened.SerializeToString(deterministic=True)
        padded = _pad(draft.identifying.SerializeToString(deterministic=True))
        return head + _tail(entry.seal_identity(padded, self._identity, head, self._random))

    def identity(self, stored: bytes) -> Identifying:
        """Return who a stored entry is about. Raises LedgerError `SEAL` when it was changed or the key is another."""
        try:
            parsed = LedgerEntry.FromString(stored)
        except DecodeError:
            raise LedgerError("SEAL", "the entry can't be read") from None
        sealed = SealedIdentity(parsed.nonce, parsed.sealed)
        tail = _tail(sealed)
        if not stored.endswith(tail):
            raise LedgerError("SEAL", "the entry doesn't end with its sealed part")
        return Identifying.FromString(_unpad(entry.open_identity(sealed, self._identity, stored[: -len(tail)])))

    def pseudonym(self, subject_id: str) -> bytes:
        """Return the 32 bytes that a subject's entries are found by."""
        return entry.pseudonym(self._pseudonym, subject_id)

    def mark(self, service: str, entry_key: str) -> bytes:
        """Return the 32 bytes that stand for a service's own key of an entry, which may name a record."""
        return hmac.digest(self._mark, f"{service}\n{entry_key}".encode(), "sha256")

    def _finding(self, draft: EntryDraft) -> bytes:
        # An access entry is never found by its person: a denial would tell that there is one (P2-02).
        subject = draft.identifying.subject_id
        return self.pseudonym(subject) if subject and draft.kind != ENTRY_KIND_ACCESS else b""


def _merged(bases: Iterable[EntryDraft.Basis]) -> list[EntryDraft.Basis]:
    """One basis for all that was disclosed of one source for one reason: the entry stays small, its lines readable."""
    found: dict[tuple[object, ...], EntryDraft.Basis] = {}
    for each in bases:
        basis = (each.row, each.rule, each.law, each.consent_id, each.consent_version, each.approval_id)
        key = (each.source_agency_id, *basis)
        known = found.setdefault(key, EntryDraft.Basis())
        categories = known.categories | each.categories
        known.CopyFrom(each)
        known.categories = categories
    return list(found.values())


def _tail(sealed: SealedIdentity) -> bytes:
    return LedgerEntry(nonce=sealed.nonce, sealed=sealed.ciphertext).SerializeToString(deterministic=True)


def _pad(plain: bytes) -> bytes:
    framed = len(plain).to_bytes(_LENGTH_BYTES, "big") + plain
    return framed + bytes(-len(framed) % _BUCKET)


def _unpad(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]
