from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.audit.checkpoint import Checkpoint, sign, to_base64
from services.audit.export import StoredEntry, write_export
from services.audit.merkle import LedgerError, leaf_hash, root
from services.audit.verdict import Finding, Verdict
from services.audit.verify import verify_export
from tests.unit.audit.naive import some_entries

ORIGIN = "ledger.example/lead"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOON = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
ENTRIES = some_entries(10)
SIGNED_AT = (0, 4, 7, 10)


def a_checkpoint(entries: Sequence[bytes], key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> str:
    """Signed over all of `entries`."""
    return sign(Checkpoint(origin, len(entries), root(map(leaf_hash, entries)), NOON), key)


def checkpoints_of(entries: Sequence[bytes], sizes: Sequence[int], key: Ed25519PrivateKey = KEY) -> list[str]:
    return [a_checkpoint(entries[:size], key) for size in sizes]


def stored(entries: Sequence[bytes]) -> list[StoredEntry]:
    return [StoredEntry(entry, leaf_hash(entry)) for entry in entries]


def exported(
    entries: Sequence[StoredEntry], checkpoints: Sequence[str], key: Ed25519PrivateKey = KEY, origin: str = ORIGIN
) -> bytes:
    stream = io.BytesIO()
    assert write_export(stream, origin, key.public_key(), entries, checkpoints) == len(entries)
    return stream.getvalue()


def an_export(entries: Sequence[bytes] = ENTRIES, sizes: Sequence[int] = SIGNED_AT) -> bytes:
    return exported(stored(entries), checkpoints_of(entries, sizes))


def check(file: bytes, *witnessed: str, key: Ed25519PrivateKey | None = KEY) -> Verdict:
    return verify_export(io.BytesIO(file), list(witnessed), key.public_key() if key else None)


def found(file: bytes, *witnessed: str) -> tuple[Finding, int | None]:
    verdict = check(file, *witnessed)
    assert verdict.ok == (verdict.reason in {Finding.HELD, Finding.HELD_UNWITNESSED})
    return verdict.reason, verdict.first_bad_index


def lines_of(file: bytes) -> list[bytes]:
    return file.splitlines(keepends=True)


def entry_line(index: int, file: bytes | None = None) -> int:
    """Where the line of entry `index` stands."""
    lines = lines_of(file or an_export())
    return next(at for at, line in enumerate(lines) if line.startswith(b'{"index":%d,' % index))


def without(file: bytes, *places: int) -> bytes:
    return b"".join(line for at, line in enumerate(lines_of(file)) if at not in places)


WITNESSED = a_checkpoint(ENTRIES)


def test_a_whole_export_holds_against_its_witness() -> None:
    verdict = check(an_export(), WITNESSED)
    assert verdict == Verdict(True, 10, 10, None, Finding.HELD, "witnessed to the end")


def test_without_a_witness_the_verdict_says_what_it_cannot_see() -> None:
    assert check(an_export()).reason is Finding.HELD_UNWITNESSED
    assert "cut off" in check(an_export()).text
    assert "own word" in check(an_export(), key=None).text


def test_a_witness_vouches_only_for_what_it_saw() -> None:
    verdict = check(an_export(), a_checkpoint(ENTRIES[:6]))
    assert (verdict.ok, "6 of 10" in verdict.text) == (True, True)


@pytest.mark.parametrize("sizes", [(0,), (0, 0)])
def test_an_empty_ledger_can_be_exported(sizes: Sequence[int]) -> None:
    assert check(an_export([], sizes), a_checkpoint([])).reason is Finding.HELD


@given(st.lists(st.binary(max_size=40), max_size=20), st.data())
def test_every_honest_export_holds(entries: list[bytes], data: st.DataObject) -> None:
    size = st.integers(0, len(entries))
    sizes = [*sorted(data.draw(st.lists(size, max_size=4))), len(entries)]
    witnessed = checkpoints_of(entries, data.draw(st.lists(size, max_size=4)))
    assert check(an_export(entries, sizes), *witnessed).ok


@given(st.integers(0, 8 * len(an_export()) - 1))
def test_no_bit_of_the_file_can_be_flipped(bit: int) -> None:
    file = bytearray(an_export())
    file[bit // 8] ^= 1 << bit % 8
    assert not check(bytes(file)).ok
    assert not check(bytes(file), WITNESSED, key=None).ok


@pytest.mark.parametrize("index", range(10))
def test_an_entry_flipped_in_the_store_is_found_by_its_index(index: int) -> None:
    rows = stored(ENTRIES)
    rows[index] = StoredEntry(b"flipped", rows[index].leaf_hash)
    assert found(exported(rows, checkpoints_of(ENTRIES, SIGNED_AT))) == (Finding.ALTERED, index)


@pytest.mark.parametrize("index", range(10))
def test_a_deleted_line_is_found_by_its_index(index: int) -> None:
    # Right in front of a checkpoint it is the checkpoint that notices.
    reason = Finding.MISSING if index + 1 in SIGNED_AT else Finding.OUT_OF_ORDER
    assert found(without(an_export(), entry_line(index))) == (reason, index)


def test_a_deleted_line_whose_followers_were_renumbered_is_found_by_its_index() -> None:
    lines = lines_of(an_export(sizes=(10,)))
    del lines[entry_line(5, b"".join(lines))]
    for at in range(6, 10):
        lines[at] = lines[at].replace(b'{"index":%d,' % at, b'{"index":%d,' % (at - 1))
    assert found(b"".join(lines)) == (Finding.ALTERED, 5)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (4, 5), (5, 6), (0, 9), (3, 4)])
def test_reordered_lines_are_found_at_the_first(one: int, other: int) -> None:
    lines = lines_of(an_export())
    here, there = entry_line(one), entry_line(other)
    lines[here], lines[there] = lines[there], lines[here]
    assert found(b"".join(lines)) == (Finding.OUT_OF_ORDER, one)


def test_a_doubled_line_is_found() -> None:
    lines = lines_of(an_export())
    lines.insert(entry_line(5), lines[entry_line(5)])
    assert found(b"".join(lines)) == (Finding.OUT_OF_ORDER, 6)


def test_a_tail_cut_after_an_earlier_checkpoint_is_seen_by_a_witness_only() -> None:
    cut = b"".join(lines_of(an_export())[: entry_line(7)])
    assert check(cut).reason is Finding.HELD_UNWITNESSED
    verdict = check(cut, WITNESSED)
    assert (verdict.reason, verdict.first_bad_index, verdict.size) == (Finding.TRUNCATED, 7, 7)
    assert "a witness saw 10 entries, the file has 7" in verdict.text


def test_a_tail_cut_anywhere_else_is_seen_without_a_witness() -> None:
    lines = lines_of(an_export())
    wholes = {0, *(at + 1 for at, line in enumerate(lines) if b"checkpoint" in line)}
    for kept in set(range(len(lines))) - wholes:
        assert not check(b"".join(lines[:kept])).ok


def test_a_file_that_ends_in_an_entry_is_not_closed() -> None:
    assert found(without(an_export(), len(lines_of(an_export())) - 1)) == (Finding.UNCLOSED, 7)


def test_a_tail_deleted_before_the_last_checkpoint_shows_by_its_size() -> None:
    verdict = check(without(an_export(), entry_line(8), entry_line(9)))
    assert (verdict.reason, verdict.first_bad_index, verdict.vouched) == (Finding.MISSING, 8, 7)


def test_half_a_line_is_malformed() -> None:
    assert found(an_export()[:-1]) == (Finding.MALFORMED, 10)


def rechained_from(index: int) -> list[bytes]:
    return [*ENTRIES[:index], b"rewritten", *ENTRIES[index + 1 :]]


@pytest.mark.parametrize(("index", "bound"), [(0, 0), (3, 0), (4, 4), (6, 4), (7, 7), (9, 7)])
def test_a_history_computed_anew_is_bounded_by_the_last_root_that_agrees(index: int, bound: int) -> None:
    file = exported(stored(rechained_from(index)), checkpoints_of(ENTRIES, SIGNED_AT))
    assert found(file) == (Finding.REWRITTEN, bound)
    assert found(file, WITNESSED) == (Finding.REWRITTEN, bound)


@given(st.integers(0, 9), st.lists(st.integers(0, 10)), st.lists(st.integers(0, 10)))
def test_no_verdict_vouches_for_a_rewritten_entry(index: int, signed_at: list[int], seen: list[int]) -> None:
    rewritten, sizes = stored(rechained_from(index)), [*sorted(signed_at), 10]
    by_stranger = check(exported(rewritten, checkpoints_of(ENTRIES, sizes)))
    assert by_stranger.reason is Finding.REWRITTEN
    by_keeper = check(exported(rewritten, checkpoints_of(rechained_from(index), sizes)), *checkpoints_of(ENTRIES, seen))
    assert by_keeper.ok == all(size <= index for size in seen)
    for verdict in (by_stranger, by_keeper):
        assert verdict.ok or verdict.vouched == verdict.first_bad_index
        assert verdict.ok or verdict.vouched <= index


@given(st.data())
def test_a_witnessed_export_holds_only_with_all_its_entries_in_place(data: st.DataObject) -> None:
    lines = lines_of(an_export())
    for _ in range(data.draw(st.integers(1, 3))):
        at, to = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines)))
        line = lines[at]
        if data.draw(st.booleans()):
            del lines[at]
        if data.draw(st.booleans()):
            lines.insert(to, line)
    if check(b"".join(lines), WITNESSED).ok:
        assert [line for line in lines if b"entry" in line] == [
            line for line in lines_of(an_export()) if b"entry" in line
        ]
        assert b"checkpoint" in lines[-1]


def test_a_history_signed_anew_by_a_stranger_needs_the_key_or_a_witness() -> None:
    entries = rechained_from(5)
    file = exported(stored(entries), checkpoints_of(entries, SIGNED_AT, OTHER_KEY), OTHER_KEY)
    assert found(file) == (Finding.WRONG_KEY, 0)
    assert check(file, WITNESSED, key=None).reason is Finding.FOREIGN_WITNESS
    unseen = check(file, key=None)
    assert (unseen.ok, "own word" in unseen.text) == (True, True)


@pytest.mark.parametrize(("seen", "bound"), [((8,), 0), ((4, 8), 4), ((2, 4, 6, 10), 4), ((10,), 0)])
def test_a_ledger_forked_by_its_keeper_is_seen_by_a_witness(seen: Sequence[int], bound: int) -> None:
    fork = an_export(rechained_from(5))
    assert check(fork).ok
    assert found(fork, *checkpoints_of(ENTRIES, seen)) == (Finding.FORKED, bound)


def test_witnesses_that_saw_different_trees_prove_a_fork() -> None:
    fork = a_checkpoint(rechained_from(5)[:8])
    assert found(an_export(), fork, a_checkpoint(ENTRIES[:8])) == (Finding.FORKED, None)
    assert found(an_export(), a_checkpoint(ENTRIES[:4]), fork, a_checkpoint(ENTRIES)) == (Finding.FORKED, 4)


def test_a_file_with_two_roots_of_one_size_proves_a_fork() -> None:
    two = [a_checkpoint(ENTRIES), a_checkpoint(rechained_from(5))]
    for checkpoints in (two, two[::-1]):
        assert check(exported(stored(ENTRIES), checkpoints)).reason is Finding.FORKED


def test_a_file_whose_checkpoints_follow_two_histories_proves_a_fork() -> None:
    other = a_checkpoint(rechained_from(2)[:7])
    file = exported(stored(ENTRIES), [a_checkpoint(ENTRIES[:4]), other, a_checkpoint(ENTRIES)])
    assert check(file).reason is Finding.FORKED


def test_a_damage_behind_a_rewriting_does_not_hide_it() -> None:
    file = exported(stored(rechained_from(5)), checkpoints_of(ENTRIES, SIGNED_AT))
    assert found(without(file, entry_line(8))) == (Finding.REWRITTEN, 4)


def test_an_empty_ledger_has_one_root() -> None:
    wrong = sign(Checkpoint(ORIGIN, 0, bytes(32), NOON), KEY)
    assert found(exported([], [wrong])) == (Finding.REWRITTEN, 0)
    assert found(exported([], [a_checkpoint([])]), wrong) == (Finding.FORKED, None)


def test_checkpoints_of_another_ledger_are_refused() -> None:
    foreign = a_checkpoint(ENTRIES, origin="other.example")
    assert found(an_export(), foreign) == (Finding.FOREIGN_WITNESS, None)
    assert found(exported(stored(ENTRIES), [foreign])) == (Finding.BAD_CHECKPOINT, 0)


def test_a_checkpoint_in_another_place_is_found() -> None:
    lines = lines_of(an_export())
    early = lines.pop(entry_line(4) - 1)
    assert json.loads(early)["checkpoint"].splitlines()[1] == "4"
    lines.insert(entry_line(5, b"".join(lines)), early)
    assert found(b"".join(lines)) == (Finding.OUT_OF_ORDER, 0)


def test_a_witness_that_cannot_be_read_is_refused() -> None:
    assert check(an_export(), "no checkpoint").reason is Finding.FOREIGN_WITNESS


def a_line(**changes: object) -> bytes:
    record: dict[str, object] = {"index": 0, "entry": to_base64(b"a"), "root": to_base64(leaf_hash(b"a"))} | changes
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b"\n", b"[]\n", b"1\n", b"{}\n", b"[" * 100_000 + b"\n", b"\xff\n", b" " * 200_000,
        a_line(index=False), a_line(index=0.0), a_line(index="0"), a_line(index=None), a_line(entry=None),
        a_line(entry="YR=="), a_line(root=[]), a_line(root="\ud800"), a_line(more=1), a_line()[:-1],
        a_line().replace(b",", b", ", 1), a_line().replace(b"{", b'{"index":0,'),
        a_line().decode().encode("utf-16"), b"\xef\xbb\xbf" + a_line(),
        b'{"checkpoint":1}\n', b'{"checkpoint":"x","checkpoint":"x"}\n', b'{"index":' + b"9" * 5000 + b"}\n",
    ],
)  # fmt: skip
def test_a_line_in_any_other_form_is_malformed(line: bytes) -> None:
    header = lines_of(an_export([b"a"], (1,)))[0]
    assert found(header + a_line() + lines_of(an_export([b"a"], (1,)))[-1]) == (Finding.HELD_UNWITNESSED, None)
    assert found(header + line) == (Finding.MALFORMED, 0)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_export_are_malformed(data: bytes) -> None:
    assert found(data) == (Finding.MALFORMED, 0)


@pytest.mark.parametrize(
    "change",
    [{"format": "lead-ledger-export/2"}, {"public_key": to_base64(bytes(31))}, {"origin": 1}, {"public_key": None}],
)
def test_a_header_in_any_other_form_is_malformed(change: dict[str, object]) -> None:
    lines = lines_of(an_export())
    lines[0] = json.dumps(json.loads(lines[0]) | change, separators=(",", ":")).encode() + b"\n"
    assert found(b"".join(lines)) == (Finding.MALFORMED, 0)


def test_no_text_of_a_verdict_quotes_an_entry() -> None:
    rows = [StoredEntry(b"Testa Sample", leaf_hash(b"other"))]
    verdict = check(exported(rows, [a_checkpoint([b"other"])]))
    assert (verdict.reason, "Testa" in verdict.text) == (Finding.ALTERED, False)


def test_the_writer_refuses_checkpoints_that_are_foreign_or_out_of_order() -> None:
    with pytest.raises(LedgerError, match="KEY"):
        exported(stored(ENTRIES), [a_checkpoint(ENTRIES, OTHER_KEY)])
    with pytest.raises(LedgerError, match="CHECKPOINT_ORDER"):
        exported(stored(ENTRIES), checkpoints_of(ENTRIES, (7, 4, 10)))


class OneLineAtATime(io.RawIOBase):
    """Makes an export while it is read, and never holds more than a line."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def readline(self, size: int | None = -1, /) -> bytes:
        return next(self._lines, b"")


def test_a_check_reads_line_by_line() -> None:
    stream = OneLineAtATime(iter(lines_of(an_export())))
    assert verify_export(stream, [WITNESSED]).reason is Finding.HELD  # type: ignore[arg-type]


def test_an_export_is_written_while_the_entries_are_read() -> None:
    sink = io.BytesIO()

    def entries() -> Iterator[StoredEntry]:
        for index, entry in enumerate(stored(ENTRIES)):
            # The header, and all but the line at hand.
            assert sink.getvalue().count(b"\n") >= index
            yield entry

    assert write_export(sink, ORIGIN, KEY.public_key(), entries(), [WITNESSED]) == 10
