"""Checks an exported ledger offline, without trusting whoever keeps it (AU-04)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.audit.checkpoint import Checkpoint, parse_and_verify
from services.audit.export_lines import (
    FORMAT,
    MAX_LINE_BYTES,
    bytes_of,
    checkpoint_line,
    entry_line,
    header_line,
    parse,
    text_of,
)
from services.audit.merkle import Frontier, LedgerError, leaf_hash
from services.audit.verdict import Finding, Found, Verdict, malformed

_PUBLIC_KEY_BYTES = 32


def verify_export(
    stream: BinaryIO, witnessed: Sequence[str] | None = None, public_key: Ed25519PublicKey | None = None
) -> Verdict:
    """Check a file offline, in one pass and flat memory.

    `witnessed` are checkpoint texts kept by others; only they show that a tail is missing or that the ledger was forked
    by its own keeper. Without `public_key` the file's word is taken for the key, so whoever rewrote it may have signed
    it anew with another one: only a witnessed checkpoint would tell. Raises nothing but what reading the stream raises.
    """
    reader = _Reader()
    try:
        reader.read_header(stream.readline(MAX_LINE_BYTES), public_key)
        reader.take_witnessed(witnessed or ())
        while line := stream.readline(MAX_LINE_BYTES):
            reader.read_line(line)
        return reader.close(pinned=public_key is not None)
    except Found as found:
        return reader.verdict(found)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A signed root that disagrees with the entries. A later one that agrees makes it a fork, otherwise a rewriting."""

    rewritten_from: int
    forked_from: int | None
    text: str


class _Reader:
    """The state of one check: the tree so far and what signatures vouch for."""

    def __init__(self) -> None:
        self._origin = ""
        self._key: Ed25519PublicKey
        self._witnessed: dict[int, bytes] = {}
        self._frontier = Frontier()
        self._agreed = 0  # the largest size at which a signed root agreed
        self._agreed_witnessed = 0  # the same, of witnessed ones only
        self._closed_at: int | None = None  # size of the file's last checkpoint
        self._doubt: _Doubt | None = None

    def read_header(self, line: bytes, expected_key: Ed25519PublicKey | None) -> None:
        """The first line; learns origin and key."""
        record = parse(line, 0)
        origin, raw = text_of(record, "origin", 0), bytes_of(record, "public_key", 0)
        if header_line(origin, raw) != line or len(raw) != _PUBLIC_KEY_BYTES:
            raise malformed(0, f"is not the header of {FORMAT}")
        if expected_key is not None and expected_key.public_bytes_raw() != raw:
            raise Found(Finding.WRONG_KEY, 0, "the file names another key than the expected one")
        self._origin, self._key = origin, Ed25519PublicKey.from_public_bytes(raw)

    def take_witnessed(self, texts: Iterable[str]) -> None:
        """Remember what witnesses kept, by size."""
        for text in texts:
            checkpoint = self._verified(text, Finding.FOREIGN_WITNESS, None)
            if self._witnessed.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
                told = f"two witnessed checkpoints of size {checkpoint.size} contradict each other"
                raise Found(Finding.FORKED, None, told)
        self._hear_witness()

    def read_line(self, line: bytes) -> None:
        """Any line after the first."""
        size = self._frontier.size
        record = parse(line, size)
        if "entry" in record:
            self._read_entry(record, line, size)
        else:
            self._read_checkpoint(record, line, size)

    def close(self, *, pinned: bool) -> Verdict:
        """The verdict once all lines are read."""
        size, last_witnessed = self._frontier.size, max(self._witnessed, default=None)
        self._check_end(size, last_witnessed)
        if last_witnessed is None:
            key = "" if pinned else "; the key is the file's own word"
            told = f"no witnessed checkpoint: entries cut off after {size} would not be seen{key}"
            return Verdict(True, size, size, None, Finding.HELD_UNWITNESSED, told)
        told = f"witnessed up to {last_witnessed} of {size} entries; a cut between the two would not be seen"
        return Verdict(True, size, size, None, Finding.HELD, told if last_witnessed < size else "witnessed to the end")

    def verdict(self, found: Found) -> Verdict:
        """What was found, unless an earlier disagreement goes before it."""
        if self._doubt is not None and found.reason is not Finding.FORKED:
            found = _rewritten(self._doubt)
        vouched = self._agreed if self._doubt is None else self._doubt.rewritten_from
        if found.reason is Finding.FORKED:
            vouched = found.index or 0
        return Verdict(False, self._frontier.size, vouched, found.index, found.reason, found.text)

    def _read_entry(self, record: dict[str, object], line: bytes, size: int) -> None:
        index = record.get("index")
        if type(index) is not int:
            raise malformed(size, "has no index")
        if index != size:
            raise Found(Finding.OUT_OF_ORDER, size, f"entry {size} should stand here, not another one")
        entry, root = bytes_of(record, "entry", size), bytes_of(record, "root", size)
        if entry_line(index, entry, root) != line:
            raise malformed(size, "is not in the one spelling")
        grown, _ = self._frontier.append(leaf_hash(entry))
        if grown.root() != root:
            raise Found(Finding.ALTERED, size, f"entry {size} isn't the one that was appended there")
        self._frontier = grown
        self._hear_witness()

    def _read_checkpoint(self, record: dict[str, object], line: bytes, size: int) -> None:
        text = text_of(record, "checkpoint", size)
        if checkpoint_line(text) != line:
            raise malformed(size, "is not in the one spelling")
        checkpoint = self._verified(text, Finding.BAD_CHECKPOINT, self._agreed)
        if checkpoint.size < size:
            raise Found(Finding.OUT_OF_ORDER, self._agreed, f"a checkpoint of size {checkpoint.size} stands at {size}")
        if checkpoint.size > size:
            told = f"a checkpoint covers {checkpoint.size} entries, {size} stand before it"
            raise Found(Finding.MISSING, size, told)
        self._closed_at = size
        self._hear(checkpoint.root, "a checkpoint in the file")

    def _hear_witness(self) -> None:
        root = self._witnessed.get(self._frontier.size)
        if root is not None and self._hear(root, "a witnessed checkpoint"):
            self._agreed_witnessed = self._frontier.size

    def _hear(self, root: bytes, who: str) -> bool:
        """Compare a signed root of the size read so far with the entries; True if they agree."""
        size, agrees = self._frontier.size, root == self._frontier.root()
        if not agrees and self._doubt is None:
            forked_from = self._agreed_witnessed if self._agreed_witnessed < size else None
            self._doubt = _Doubt(self._agreed, forked_from, f"{who} of size {size} has another root")
        # Two roots of one size contradict each other; a later root that agrees was signed over the other history.
        if self._doubt is not None and (agrees or self._agreed == size > 0):
            told = f"{self._doubt.text}, and another signed one agrees with the entries"
            raise Found(Finding.FORKED, self._doubt.forked_from, told)
        if agrees:
            self._agreed = size
        return agrees

    def _check_end(self, size: int, last_witnessed: int | None) -> None:
        if self._doubt is not None:
            raise _rewritten(self._doubt)
        if last_witnessed is not None and last_witnessed > size:
            raise Found(Finding.TRUNCATED, size, f"a witness saw {last_witnessed} entries, the file has {size}")
        if self._closed_at != size:
            raise Found(Finding.UNCLOSED, self._agreed, f"no checkpoint over all {size} entries ends the file")

    def _verified(self, text: str, reason: Finding, index: int | None) -> Checkpoint:
        try:
            checkpoint = parse_and_verify(text, self._key)
        except LedgerError as error:
            raise Found(reason, index, error.text) from error
        if checkpoint.origin != self._origin:
            raise Found(reason, index, "the checkpoint is of another ledger")
        return checkpoint


def _rewritten(doubt: _Doubt) -> Found:
    return Found(Finding.REWRITTEN, doubt.rewritten_from, doubt.text)
