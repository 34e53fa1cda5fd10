"""Writes the ledger as one file that anyone can check without a server (AU-04); `export_lines` tells its form."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.audit.checkpoint import parse_and_verify
from services.audit.export_lines import checkpoint_line, entry_line, header_line
from services.audit.merkle import Frontier, LedgerError


class StoredEntry(NamedTuple):
    """An entry as the store keeps it; `leaf_hash` is the one written when it was appended, not computed now."""

    entry: bytes
    leaf_hash: bytes


def write_export(
    stream: BinaryIO,
    origin: str,
    public_key: Ed25519PublicKey,
    entries: Iterable[StoredEntry],
    checkpoints: Iterable[str],
) -> int:
    """Write the file and return the number of entries; streams both inputs.

    `checkpoints` are signed texts in rising size, the last over all `entries`; the more there are, the closer a
    rewriting is pinned down. Raises LedgerError for one that isn't signed with `public_key` or out of order. A damaged
    ledger is written as it is: judging it is for `verify_export`.
    """
    stream.write(header_line(origin, public_key.public_bytes_raw()))
    count = 0
    lines = heapq.merge(_entry_lines(entries), _checkpoint_lines(checkpoints, public_key), key=lambda item: item[:2])
    for _, rank, line in lines:
        stream.write(line)
        count += rank == 0
    return count


def _entry_lines(entries: Iterable[StoredEntry]) -> Iterator[tuple[int, int, bytes]]:
    """(tree size after it, 0, line) of every entry."""
    frontier = Frontier()
    for index, stored in enumerate(entries):
        frontier, _ = frontier.append(stored.leaf_hash)
        yield frontier.size, 0, entry_line(index, stored.entry, frontier.root())


def _checkpoint_lines(texts: Iterable[str], public_key: Ed25519PublicKey) -> Iterator[tuple[int, int, bytes]]:
    """(size, 1, line) of every checkpoint: behind the entry that completes it."""
    last = 0
    for text in texts:
        size = parse_and_verify(text, public_key).size
        if size < last:
            raise LedgerError("CHECKPOINT_ORDER", "checkpoints must come in rising size")
        last = size
        yield size, 1, checkpoint_line(text)
