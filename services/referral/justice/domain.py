"""What becomes of a justice event that is sent: by natural key (agency, system, record id) and version. No IO."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

Mint = Callable[[str], str]
"""Makes a new id of a kind: `mint("jev")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is kept of an event. `version` is its sender's own, `revision` counts its changes here.

    `key` and `digest` are the keyed digests of its natural key and of its content, 32 bytes each.
    """

    id: str
    subject_id: str
    key: bytes
    version: int
    digest: bytes
    revision: int = 1
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An event as its sender means it; `is_gone` takes it back, and version 0 then takes back whichever stands."""

    key: bytes
    version: int
    digest: bytes = b""
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one event. Outcomes are the contract's, with VERSION_REUSED and UNKNOWN_RECORD for REJECTED."""

    outcome: str
    before: Held | None
    after: Held | None

    @property
    def changes(self) -> bool:
        """Whether there is something to store."""
        return self.after is not self.before


def planned(before: Held | None, sent: Sent, mint: Mint) -> Plan:
    """Return what becomes of an event. A new one is on a subject of its own, so that nothing joins two of them."""
    if sent.is_gone:
        return _withdrawn(before, sent)
    if before is None:
        new = Held(id=mint("jev"), subject_id=mint("sub"), key=sent.key, version=sent.version, digest=sent.digest)
        return Plan("CREATED", None, new)
    if sent.version < before.version:
        return Plan("STALE", before, before)
    if sent.version == before.version:
        return Plan("UNCHANGED" if sent.digest == before.digest else "VERSION_REUSED", before, before)
    return Plan("REPLACED", before, _next(before, sent.version, sent.digest, is_withdrawn=False))


def _withdrawn(before: Held | None, sent: Sent) -> Plan:
    if before is None:
        return Plan("UNKNOWN_RECORD", None, None)
    if sent.version and sent.version < before.version:
        return Plan("STALE", before, before)
    if before.is_withdrawn:
        return Plan("UNCHANGED", before, before)
    # The content stays with its version: sent again after a deletion, it needs a higher one.
    return Plan("WITHDRAWN", before, _next(before, sent.version or before.version, before.digest, is_withdrawn=True))


def _next(before: Held, version: int, digest: bytes, *, is_withdrawn: bool) -> Held:
    revision = before.revision + 1
    return replace(before, version=version, digest=digest, is_withdrawn=is_withdrawn, revision=revision)
