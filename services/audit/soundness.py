"""Whether the stored ledger is one to go on from: checked before the first append (AU-02, AU-04)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from services.audit import store
from services.audit.checkpoint import parse_and_verify
from services.audit.merkle import Frontier, LedgerError
from services.audit.store import DatabaseNodes
from services.audit.witness import Witness


def sound_head(connection: Connection, public_key: Ed25519PublicKey, witnesses: Sequence[Witness]) -> Frontier:
    """Return the tree to append to.

    Raises LedgerError `DAMAGED` when entries, nodes and the head don't agree with each other or with what was signed,
    `WITNESSED_MORE` when a witness keeps a checkpoint that they don't agree with: then rows were lost, by a restore
    from an old backup or otherwise, and going on would fork the ledger.
    """
    head = store.head(connection)
    if store.length(connection) != head.size or not _agrees(connection, head.size, head.root()):
        raise LedgerError("DAMAGED", "entries, tree and head of the ledger disagree; restore it from a backup")
    signed = store.last_signed(connection)
    if signed is not None:
        checkpoint = parse_and_verify(signed.note, public_key)
        if not _covers(connection, head, checkpoint.size, checkpoint.root):
            raise LedgerError("DAMAGED", "the ledger is not what its own last checkpoint says")
    for witness in witnesses:
        kept = witness.latest(public_key)
        if kept is not None and not _covers(connection, head, kept.size, kept.root):
            raise LedgerError("WITNESSED_MORE", "a witness keeps a checkpoint that the ledger doesn't agree with")
    return head


def _covers(connection: Connection, head: Frontier, size: int, root: bytes) -> bool:
    return size <= head.size and _agrees(connection, size, root)


def _agrees(connection: Connection, size: int, root: bytes) -> bool:
    try:
        return Frontier.load(DatabaseNodes(connection), size).root() == root
    except LookupError:
        return False
