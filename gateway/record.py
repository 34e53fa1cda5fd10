"""What goes on the ledger before an answer leaves (AU-06).

One DISCLOSURE entry per subject that went to another agency than its source, with every basis; and one ACCESS entry for
any other call, whether it succeeded, was denied or found nothing: they cost the same and look the same (P2-02).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from lead.audit.v1 import audit_internal_service_pb2 as audit
from lead.audit.v1 import audit_pb2
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import words_pb2

from gateway.decisions import Held
from gateway.redact import NO_RECORD, Key, Seen
from services.shared.sharing.assertion import Caller
from services.shared.sharing.need import BITS, need, words

# Facts about the exchange are no disclosure of a person.
_IMPERSONAL = BITS["SYSTEM"] | BITS["DIRECTORY"]


@dataclass(slots=True)
class Disclosed:
    """What of one subject left, by source: the rulings that its visible categories rest on."""

    bases: dict[Key, tuple[consent.Ruling, ...]] = field(default_factory=dict)

    def rulings(self) -> Iterator[consent.Ruling]:
        """Yield every ruling relied on."""
        for rulings in self.bases.values():
            yield from rulings


def disclosures(caller: Caller, seen: Seen, held: Mapping[Key, Held]) -> dict[str, Disclosed]:
    """Return by subject what an answer discloses; own records and a person's own file are no disclosure to another."""
    found: dict[str, Disclosed] = {}
    for key, categories in seen.records.items():
        if key == NO_RECORD or caller.participant_id or key[1] == caller.agency_id:
            continue
        used = _used(categories, held[key])
        rulings = tuple(_narrowed(held[key].decision, used))
        if rulings:
            found.setdefault(key[0], Disclosed()).bases[key] = rulings
    return found


def entries(
    caller: Caller,
    method: str,
    request_id: str,
    found: Mapping[str, Disclosed],
    held: Mapping[Key, Held],
    now: datetime,
) -> list[audit.EntryDraft]:
    """Return the ledger entries of a call that succeeded."""
    if not found:
        return [access(caller, method, request_id, "OK", now)]
    version = next(iter(held.values())).policy_version
    return [_disclosure(caller, method, request_id, one, found[one], version, now) for one in sorted(found)]


def access(caller: Caller, method: str, request_id: str, outcome: str, now: datetime) -> audit.EntryDraft:
    """Return the entry of a call that disclosed nothing."""
    return _entry(audit_pb2.ENTRY_KIND_ACCESS, caller, method, request_id, outcome, now)


def _disclosure(
    caller: Caller, method: str, request_id: str, subject: str, disclosed: Disclosed, version: str, now: datetime
) -> audit.EntryDraft:
    entry = _entry(audit_pb2.ENTRY_KIND_DISCLOSURE, caller, method, request_id, "OK", now)
    entry.policy_version = version
    entry.identifying.subject_id = subject
    for (_, source, _), rulings in sorted(disclosed.bases.items()):
        for one in rulings:
            entry.bases.add(
                categories=one.categories,
                row=one.row,
                rule=one.rule,
                law=one.law,
                consent_id=one.consent_id,
                consent_version=one.consent_version,
                source_agency_id=source,
                approval_id=one.approval_id,
            )
    # A call that goes round after a change may disclose something else: that is another entry, not the same again.
    bases = hashlib.sha256(b"".join(one.SerializeToString(deterministic=True) for one in entry.bases))
    entry.entry_key = f"{request_id}/{subject}/{bases.hexdigest()[:16]}"
    return entry


def _entry(
    kind: audit_pb2.EntryKind.ValueType, caller: Caller, method: str, request_id: str, outcome: str, now: datetime
) -> audit.EntryDraft:
    time = Timestamp()
    time.FromDatetime(now)
    entry = audit.EntryDraft(
        kind=kind,
        time=time,
        agency_id=caller.agency_id,
        role=words_pb2.Role.Value("ROLE_" + caller.role.upper()),
        method=method,
        outcome=outcome,
        request_id=request_id,
        entry_key=f"{request_id}/{outcome}",
    )
    if caller.purpose:
        entry.purpose = words_pb2.Purpose.Value("PURPOSE_" + caller.purpose)
    entry.identifying.account_id = caller.account_id
    return entry


def _used(categories: int, held: Held) -> int:
    """Return the visible categories that what remained rests on: its labels, and what their source's class adds."""
    used = 0
    for word in words(categories & ~_IMPERSONAL):
        used |= need(word, word, held.view.source_kind, held.view.part2)
    return used & held.view.visible


def _narrowed(decision: consent.Decision, used: int) -> Iterator[consent.Ruling]:
    for ruling in decision.rulings:
        if ruling.categories & used:
            narrowed = consent.Ruling()
            narrowed.CopyFrom(ruling)
            narrowed.categories = ruling.categories & used
            yield narrowed
