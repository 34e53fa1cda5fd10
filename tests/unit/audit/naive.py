"""RFC 6962 section 2.1 as the text has it: recursive, over the entries themselves, no cleverness. The yardstick."""

from __future__ import annotations

import hashlib

from services.audit.merkle import Frontier, MemoryNodes, Node, leaf_hash


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(n: int) -> int:
    """k, the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries: list[bytes]) -> bytes:
    """The Merkle tree hash."""
    if not entries:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """The audit path of entry m."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: list[bytes]) -> list[bytes]:
    """The consistency proof between the first m entries and all."""
    return subproof(m, entries, whole=True)


def subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = split(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def some_entries(count: int) -> list[bytes]:
    """Distinct entries."""
    return [f"entry {number}".encode() for number in range(count)]


def a_tree(entries: list[bytes]) -> tuple[Frontier, MemoryNodes]:
    """The frontier over `entries` and a store that holds all nodes."""
    frontier, store = Frontier(), MemoryNodes()
    for index, entry in enumerate(entries):
        leaf = leaf_hash(entry)
        frontier, nodes = frontier.append(leaf)
        store.put([Node(0, index, leaf), *nodes])
    return frontier, store
