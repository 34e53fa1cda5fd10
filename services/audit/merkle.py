"""The Merkle tree of the ledger, exactly as RFC 6962 section 2.1 defines it (architecture section 8, AU-03).

Every hash is 32 bytes. A *node* is the hash of a complete subtree: `node(level, index)` covers the leaves
`[index << level, (index + 1) << level)`, so level 0 is the leaf hashes. Nodes never change once written, and any
root or proof, of today's tree or an earlier one, is made from O(log n) of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 6962 2.1: MTH({}) = SHA-256()
_SIZE_BYTES = 8  # the size in front of a serialised frontier


class LedgerError(Exception):
    """Something about the ledger doesn't hold. `reason` is a machine word; neither it nor `text` quotes an entry."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of one complete subtree."""

    level: int
    index: int
    hash: bytes


class NodeStore(Protocol):
    """Read access to complete subtree hashes."""

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree; raises LookupError if it was never written."""


class MemoryNodes:
    """A node store in a dictionary."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[int, int], bytes] = {}

    def put(self, nodes: Iterable[Node]) -> None:
        """Keep `nodes`; one written before is replaced."""
        self._hashes.update(((node.level, node.index), node.hash) for node in nodes)

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree; raises KeyError if it was never written."""
        return self._hashes[level, index]


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 | entry) over the stored bytes (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 | left | right) (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All one needs of a tree to append to it: its size and its *peaks*, the complete subtrees it consists of.

    One peak per set bit of `size`, the largest (leftmost) first. Values never change, so a reader in another thread
    always sees a whole one.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size < 1 << 63 or len(self.peaks) != self.size.bit_count():
            raise LedgerError("MALFORMED", "the peaks don't fit the size")
        if not _are_hashes(self.peaks):
            raise LedgerError("MALFORMED", "a peak isn't 32 bytes")

    def append(self, leaf: bytes) -> tuple[Frontier, tuple[Node, ...]]:
        """The tree with one more leaf hash, and the nodes above level 0 which that leaf completed, lowest first.

        O(log n). Node (0, size) is the leaf hash itself and isn't repeated. Raises LedgerError unless it is 32 bytes.
        """
        if len(leaf) != HASH_BYTES:
            raise LedgerError("MALFORMED", "a leaf hash must have 32 bytes")
        peaks, nodes, carry = list(self.peaks), [], leaf
        level, rest = 0, self.size
        while rest & 1:
            carry = node_hash(peaks.pop(), carry)
            level, rest = level + 1, rest >> 1
            nodes.append(Node(level, rest, carry))
        peaks.append(carry)
        return Frontier(self.size + 1, tuple(peaks)), tuple(nodes)

    def root(self) -> bytes:
        """The Merkle tree hash MTH of all leaves; O(log n)."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        """Eight bytes of big-endian size, then the peaks."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """The inverse of `to_bytes`; raises LedgerError for anything that isn't its output."""
        if len(data) < _SIZE_BYTES:
            raise LedgerError("MALFORMED", "a frontier starts with its size")
        hashes = data[_SIZE_BYTES:]
        peaks = tuple(hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES))
        return cls(int.from_bytes(data[:_SIZE_BYTES], "big"), peaks)

    @classmethod
    def load(cls, store: NodeStore, size: int) -> Frontier:
        """The frontier which the tree in `store` had at `size` leaves; O(log n) reads."""
        return cls(size, tuple(_complete_nodes(store, 0, size)))


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The Merkle tree hash of a sequence of leaf hashes."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier, _ = frontier.append(leaf)
    return frontier.root()


def inclusion_proof(store: NodeStore, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 2.1.1, the sibling nearest to the leaf first; O(log n) reads.

    Raises LedgerError `RANGE` unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise LedgerError("RANGE", "the entry must be inside the tree")
    siblings: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            siblings.append(_range_root(store, middle, high))
            high = middle
        else:
            siblings.append(_range_root(store, low, middle))
            low = middle
    return siblings[::-1]


def consistency_proof(store: NodeStore, first: int, second: int) -> list[bytes]:
    """PROOF(first, D[second]) of RFC 6962 2.1.2: that the tree of `first` leaves is a prefix; O(log n) reads.

    Raises LedgerError `RANGE` unless 0 < first <= second: every tree extends the empty one, so that proves nothing.
    """
    if not 0 < first <= second:
        raise LedgerError("RANGE", "sizes must be rising and the first above zero")
    hashes: list[bytes] = []
    low, high = 0, second
    while high != first:
        middle = low + _split(high - low)
        if first <= middle:
            hashes.append(_range_root(store, middle, high))
            high = middle
        else:
            hashes.append(_range_root(store, low, middle))
            low = middle
    # The subtree on which both trees end; where it is the whole first tree, the verifier holds its root already.
    if low:
        hashes.append(_range_root(store, low, high))
    return hashes[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` shows that the tree of `size` leaves with that root has `leaf` (a leaf hash) at `index`."""
    if not 0 <= index < size or not _are_hashes((leaf, expected_root, *proof)):
        return False
    position, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            value = node_hash(sibling, value)
            position, last = _skip_single(position, last)
        else:
            value = node_hash(value, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and value == expected_root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree (first, first_root) is a prefix of the tree (second, second_root)."""
    if not 0 < first <= second or not _are_hashes((first_root, second_root, *proof)):
        return False
    if first == second:
        return not proof and first_root == second_root
    # A first tree that is one complete subtree is left out of the proof (RFC 6962 2.1.2, SUBPROOF with b = true).
    hashes = [first_root, *proof] if first.bit_count() == 1 else list(proof)
    return bool(hashes) and _fold_both(first, second, hashes) == (first_root, second_root)


def _fold_both(first: int, second: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees as `hashes` give them; None when there are too few or too many hashes."""
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            position, last = _skip_single(position, last)
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return (old, new) if last == 0 else None


def _skip_single(position: int, last: int) -> tuple[int, int]:
    """Climb the levels on which the rightmost subtree has no sibling and is carried up as it is."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _split(width: int) -> int:
    """The largest power of two smaller than `width` (RFC 6962: k < n <= 2k)."""
    return 1 << (width - 1).bit_length() - 1


def _range_root(store: NodeStore, low: int, high: int) -> bytes:
    """MTH(D[low:high]); `low` is a multiple of the largest power of two in the width, as all ranges of a proof are."""
    return _fold(_complete_nodes(store, low, high))


def _complete_nodes(store: NodeStore, low: int, high: int) -> list[bytes]:
    """The complete subtrees D[low:high] consists of, the largest first."""
    hashes = []
    while low < high:
        level = (high - low).bit_length() - 1
        hashes.append(store.node(level, low >> level))
        low += 1 << level
    return hashes


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees: each joins all that lies to its right."""
    value = peaks[-1]
    for peak in reversed(peaks[:-1]):
        value = node_hash(peak, value)
    return value


def _are_hashes(values: Iterable[bytes]) -> bool:
    """Two hashes of 31 and 33 bytes would hash like two of 32: lengths are part of a proof's form."""
    return all(len(value) == HASH_BYTES for value in values)
