from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    LedgerError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.audit.naive import a_tree, mth, path, proof, some_entries

LARGEST = 70
ENTRIES = some_entries(LARGEST)
_, STORE = a_tree(ENTRIES)
ROOTS = [mth(ENTRIES[:size]) for size in range(LARGEST + 1)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def test_inclusion_proofs_are_the_paths_of_the_rfc_and_hold() -> None:
    for size in range(1, 34):
        for index in range(size):
            hashes = inclusion_proof(STORE, index, size)
            assert hashes == path(index, ENTRIES[:size])
            assert verify_inclusion(index, size, LEAVES[index], hashes, ROOTS[size])


def test_consistency_proofs_are_the_proofs_of_the_rfc_and_hold() -> None:
    for second in range(1, 34):
        for first in range(1, second + 1):
            hashes = consistency_proof(STORE, first, second)
            assert hashes == proof(first, ENTRIES[:second])
            assert verify_consistency(first, second, ROOTS[first], ROOTS[second], hashes)


@given(st.data())
def test_an_inclusion_proof_holds_for_its_own_place_only(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    hashes = inclusion_proof(STORE, index, size)
    other_index = data.draw(st.integers(-1, size + 1))
    other_leaf = data.draw(st.sampled_from(LEAVES))
    holds = verify_inclusion(other_index, size, other_leaf, hashes, ROOTS[size])
    assert holds == (other_index == index and other_leaf == LEAVES[index])


def altered(hashes: list[bytes], data: st.DataObject) -> list[bytes]:
    """The proof with a bit flipped, a hash left out, doubled or added, or two exchanged."""
    at = data.draw(st.integers(0, len(hashes)), label="at")
    spare = data.draw(st.binary(min_size=31, max_size=33), label="spare")
    ways: list[Callable[[], list[bytes]]] = [lambda: [*hashes[:at], spare, *hashes[at:]]]
    if at < len(hashes):
        bit = data.draw(st.integers(0, 255), label="bit")
        flipped = bytearray(hashes[at])
        flipped[bit // 8] ^= 1 << bit % 8
        ways += [
            lambda: [*hashes[:at], bytes(flipped), *hashes[at + 1 :]],
            lambda: [*hashes[:at], *hashes[at + 1 :]],
            lambda: [*hashes[:at], hashes[at], *hashes[at:]],
            lambda: [*hashes[:at], hashes[at][:31], *hashes[at + 1 :]],
            lambda: hashes[::-1],
        ]
    return data.draw(st.sampled_from(ways), label="way")()


@given(st.data())
def test_an_altered_inclusion_proof_does_not_hold(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    hashes = inclusion_proof(STORE, index, size)
    changed = altered(hashes, data)
    assert verify_inclusion(index, size, LEAVES[index], changed, ROOTS[size]) == (changed == hashes)


@given(st.data())
def test_an_altered_consistency_proof_does_not_hold(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, LARGEST))
    first = data.draw(st.integers(1, second))
    hashes = consistency_proof(STORE, first, second)
    changed = altered(hashes, data)
    assert verify_consistency(first, second, ROOTS[first], ROOTS[second], changed) == (changed == hashes)


@given(st.data())
def test_a_consistency_proof_holds_for_its_own_two_trees_only(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, LARGEST))
    first = data.draw(st.integers(1, second))
    hashes = consistency_proof(STORE, first, second)
    roots = st.sampled_from([*ROOTS, bytes(32)])
    first_root, second_root = data.draw(roots), data.draw(roots)
    holds = verify_consistency(first, second, first_root, second_root, hashes)
    # A tree is consistent with itself, whatever its root.
    same = first == second and first_root == second_root
    assert holds == (same or (first_root, second_root) == (ROOTS[first], ROOTS[second]))


@given(st.integers(1, 40), st.integers(0, 39), st.integers(0, 30))
def test_a_rewritten_entry_breaks_consistency(first: int, changed: int, more: int) -> None:
    changed, second = changed % first, first + more
    rewritten = [*ENTRIES[:changed], b"rewritten", *ENTRIES[changed + 1 : second]]
    frontier, store = a_tree(rewritten)
    hashes = consistency_proof(store, first, second)
    assert not verify_consistency(first, second, ROOTS[first], frontier.root(), hashes)


def test_a_proof_too_short_for_the_claimed_size_does_not_hold() -> None:
    assert verify_inclusion(0, 2, LEAVES[0], [LEAVES[1]], ROOTS[2])
    assert not verify_inclusion(0, 3, LEAVES[0], [LEAVES[1]], ROOTS[2])
    assert verify_consistency(1, 2, ROOTS[1], ROOTS[2], [LEAVES[1]])
    assert not verify_consistency(1, 3, ROOTS[1], ROOTS[2], [LEAVES[1]])


def test_hashes_cut_at_another_place_do_not_hold() -> None:
    left, right = LEAVES[:2]
    joined = left + right
    assert node_hash(joined[:33], joined[33:]) == ROOTS[2]
    assert not verify_inclusion(0, 2, joined[:33], [joined[33:]], ROOTS[2])
    assert not verify_inclusion(1, 2, joined[33:], [joined[:33]], ROOTS[2])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_proof_is_made_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(LedgerError, match="RANGE"):
        inclusion_proof(STORE, index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (-1, 3), (4, 3)])
def test_no_consistency_proof_is_made_for_sizes_that_prove_nothing(first: int, second: int) -> None:
    with pytest.raises(LedgerError, match="RANGE"):
        consistency_proof(STORE, first, second)
    assert not verify_consistency(first, second, EMPTY_ROOT, ROOTS[3], [])


class EqualLeaves:
    """A tree whose leaves are all alike, of any size, that counts its reads."""

    def __init__(self) -> None:
        self.reads = 0

    def node(self, level: int, index: int) -> bytes:
        self.reads += 1
        value = leaf_hash(b"")
        for _ in range(level):
            value = node_hash(value, value)
        return value


@given(st.integers(2, 1 << 45), st.integers(0), st.integers(0))
def test_proofs_in_a_tree_of_trillions_cost_logarithmic_reads(size: int, index: int, first: int) -> None:
    index, first, store = index % size, first % size + 1, EqualLeaves()
    root_now, root_then = Frontier.load(store, size).root(), Frontier.load(store, first).root()
    store.reads = 0
    assert verify_inclusion(index, size, leaf_hash(b""), inclusion_proof(store, index, size), root_now)
    assert store.reads <= 2 * size.bit_length()
    store.reads = 0
    assert verify_consistency(first, size, root_then, root_now, consistency_proof(store, first, size))
    assert store.reads <= 2 * size.bit_length() + 1
