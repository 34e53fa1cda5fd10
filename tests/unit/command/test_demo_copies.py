from __future__ import annotations

import io
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.checkpoint import Checkpoint, sign
from services.audit.export import StoredEntry, write_export
from services.audit.merkle import leaf_hash, root
from services.audit.verdict import Finding
from services.command.demo.copies import check, cut, dropped, flipped, size_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
ENTRIES = [f"entry {number}".encode() for number in range(10)]


def a_note(size: int) -> str:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    return sign(Checkpoint("ledger.example/lead", size, root(map(leaf_hash, ENTRIES[:size])), at), KEY)


def an_export(*sizes: int) -> bytes:
    stream = io.BytesIO()
    stored = [StoredEntry(entry, leaf_hash(entry)) for entry in ENTRIES]
    write_export(stream, "ledger.example/lead", PUBLIC, stored, [a_note(size) for size in sizes])
    return stream.getvalue()


def test_the_export_itself_holds() -> None:
    assert check(an_export(4, 10), PUBLIC, [a_note(7)]).reason is Finding.HELD


def test_a_flipped_byte_is_found_wherever_it_is() -> None:
    export = an_export(4, 10)
    copies = list(flipped(export))
    assert len(set(copies)) == len(copies) > 1
    assert all(len(copy) == len(export) and not check(copy, PUBLIC).ok for copy in copies)


def test_a_dropped_entry_is_found() -> None:
    copy = dropped(an_export(4, 10))
    assert copy.count(b"\n") == an_export(4, 10).count(b"\n") - 1
    assert check(copy, PUBLIC).reason is Finding.OUT_OF_ORDER


def test_a_cut_tail_is_whole_in_itself_and_shown_by_a_witness_alone() -> None:
    copy = cut(an_export(4, 7, 10), a_note(7))
    assert check(copy, PUBLIC).reason is Finding.HELD_UNWITNESSED
    assert check(copy, PUBLIC, [a_note(7)]).reason is Finding.TRUNCATED


def test_nothing_can_be_cut_before_the_first_checkpoint() -> None:
    assert cut(an_export(7, 10), a_note(7)) == b""


def test_a_checkpoint_says_how_many_entries_it_covers() -> None:
    assert size_of(a_note(7)) == 7
