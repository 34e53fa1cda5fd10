from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.merkle import EMPTY_ROOT, Frontier, LedgerError, MemoryNodes, leaf_hash, node_hash, root
from tests.unit.audit.naive import a_tree, mth, some_entries

# The leaves and roots that certificate transparency logs have tested themselves with since RFC 6962.
KNOWN_LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
KNOWN_LEAVES += [bytes.fromhex("5051525354555657"), bytes.fromhex("606162636465666768696a6b6c6d6e6f")]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_known_from_certificate_transparency(size: int) -> None:
    assert root(map(leaf_hash, KNOWN_LEAVES[:size])).hex() == KNOWN_ROOTS[size]


def test_leaf_and_node_are_told_apart_by_their_first_byte() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


def test_frontier_root_is_the_naive_root_at_every_size_up_to_200() -> None:
    entries, frontier = some_entries(200), Frontier()
    assert frontier.root() == EMPTY_ROOT == mth([])
    for size, entry in enumerate(entries, start=1):
        frontier, _ = frontier.append(leaf_hash(entry))
        assert (frontier.size, frontier.root()) == (size, mth(entries[:size]))


def test_every_complete_subtree_is_given_out_once_when_its_last_leaf_comes() -> None:
    entries = some_entries(40)
    frontier = Frontier()
    for size, entry in enumerate(entries, start=1):
        frontier, nodes = frontier.append(leaf_hash(entry))
        wanted = [level for level in range(1, 7) if size % (1 << level) == 0]
        assert [node.level for node in nodes] == wanted
        for node in nodes:
            assert (node.index + 1) << node.level == size
            assert node.hash == mth(entries[node.index << node.level : size])


def test_a_frontier_value_never_changes() -> None:
    before, _ = a_tree(some_entries(7))
    root_before = before.root()
    before.append(leaf_hash(b"more"))
    assert (before.size, before.root()) == (7, root_before)


def test_an_earlier_frontier_is_read_back_from_the_store() -> None:
    entries = some_entries(70)
    _, store = a_tree(entries)
    for size in range(71):
        assert Frontier.load(store, size) == a_tree(entries[:size])[0]


def test_a_store_without_the_node_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        Frontier.load(MemoryNodes(), 1)


@given(st.integers(0, 130))
def test_a_frontier_survives_its_bytes(size: int) -> None:
    frontier, _ = a_tree(some_entries(size))
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier


@given(st.binary(max_size=150))
def test_bytes_are_a_frontier_only_if_they_are_its_bytes(data: bytes) -> None:
    with suppress(LedgerError):
        assert Frontier.from_bytes(data).to_bytes() == data


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(9), (1).to_bytes(8, "big"), bytes([255]) * 8 + bytes(64 * 32)])
def test_bytes_that_are_no_frontier_are_refused(data: bytes) -> None:
    with pytest.raises(LedgerError, match="MALFORMED"):
        Frontier.from_bytes(data)


@pytest.mark.parametrize("size", [0, 1])
def test_a_leaf_hash_of_another_length_is_refused(size: int) -> None:
    frontier, _ = a_tree(some_entries(size))
    with pytest.raises(LedgerError, match="32 bytes"):
        frontier.append(bytes(31))
