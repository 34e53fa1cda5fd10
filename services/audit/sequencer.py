"""Gives every ledger entry its index: many callers append at once, one thread commits for all who wait.

Group commit: while the store makes one batch durable, the next one gathers, so the cost of a durable write is shared
and a lone caller never waits for company. An index is handed out only after it is durable (architecture section 8).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

from services.audit.entry import MAX_ENTRY_BYTES
from services.audit.merkle import Frontier, LedgerError, Node, leaf_hash


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the store keeps it; `nodes` are those above level 0 which this leaf completed.

    `mark` is what its caller knows it by, for the store to find it again; it is no part of the entry. None: nothing.
    """

    index: int
    entry: bytes
    leaf_hash: bytes
    nodes: tuple[Node, ...]
    mark: bytes | None = None


AppendBatch = Callable[[Sequence[Row]], None]


@dataclass(frozen=True, slots=True)
class _Request:
    entries: tuple[bytes, ...]
    marks: tuple[bytes | None, ...]
    indices: Future[list[int]] = field(default_factory=Future)


class Sequencer:
    """The one writer of a ledger, safe to call from any thread.

    `append_batch` writes the rows in one transaction: it returns when all are durable and raises if none or an unknown
    part is; it must refuse an index that is taken. `frontier` is the durable one at the start.

    `reload` reads the durable frontier. After a failed batch it is asked before the next one, since a commit whose
    answer got lost did happen. Without it a failed batch is taken as not written. If it shows anything but the tree
    before or after that batch, someone else writes or rows are gone: every append fails while that lasts.

    A batch has at most `max_batch` entries (a larger request goes alone, never split), and no more than `max_waiting`
    entries wait.
    """

    def __init__(
        self,
        append_batch: AppendBatch,
        frontier: Frontier,
        *,
        reload: Callable[[], Frontier] | None = None,
        max_batch: int = 512,
        max_waiting: int = 50_000,
    ) -> None:
        self._append_batch = append_batch
        self._frontier = frontier
        self._reload = reload
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._uncertain: Frontier | None = None  # the tree after a batch whose fate isn't known
        self._waiting: deque[_Request] = deque()
        self._waiting_entries = 0
        self._closed = False
        self._changed = threading.Condition()
        self._committer = threading.Thread(target=self._run, name="ledger-sequencer", daemon=True)
        self._committer.start()

    @property
    def frontier(self) -> Frontier:
        """The durable tree; it includes every index handed out so far."""
        return self._frontier

    def append(self, entries: Sequence[bytes], timeout: float | None = None) -> list[int]:
        """The indices of `entries`, one run without gaps, once they are durable.

        Raises LedgerError: `NOT_DURABLE` (the store failed), `FOREIGN_WRITER`, `ENTRY_SIZE`, `OVERLOADED`, `CLOSED`;
        TimeoutError after `timeout` seconds, when the entries may still become durable.
        """
        return self.submit(entries).result(timeout)

    def submit(self, entries: Sequence[bytes], marks: Sequence[bytes | None] | None = None) -> Future[list[int]]:
        """`append` for callers that wait otherwise; refusals are raised here, failures lie in the future.

        `marks` go to the store beside the entries, one for each.
        """
        if marks is not None and len(marks) != len(entries):
            raise ValueError("a mark for each entry is wanted")
        if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
            raise LedgerError("ENTRY_SIZE", f"an entry has at most {MAX_ENTRY_BYTES} bytes")
        request = _Request(tuple(entries), tuple(marks) if marks is not None else (None,) * len(entries))
        if not request.entries:
            request.indices.set_result([])
            return request.indices
        with self._changed:
            self._admit(len(request.entries))
            self._waiting.append(request)
            self._waiting_entries += len(request.entries)
            self._changed.notify()
        return request.indices

    def close(self) -> None:
        """Refuse new entries, commit those that wait, end the thread. Safe to repeat."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._committer.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _admit(self, count: int) -> None:
        if self._closed:
            raise LedgerError("CLOSED", "the ledger takes no more entries")
        # A request larger than the bound still passes an empty queue, or it never would.
        if self._waiting and self._waiting_entries + count > self._max_waiting:
            raise LedgerError("OVERLOADED", "too many entries wait")

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            if batch:
                self._commit(batch)

    def _take(self) -> list[_Request] | None:
        """All that waits, up to the bound; None once closed and empty. Requests cancelled meanwhile are left out."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            batch, room = [self._waiting.popleft()], self._max_batch
            room -= len(batch[0].entries)
            while self._waiting and len(self._waiting[0].entries) <= room:
                batch.append(self._waiting.popleft())
                room -= len(batch[-1].entries)
            self._waiting_entries -= sum(len(request.entries) for request in batch)
        return [request for request in batch if request.indices.set_running_or_notify_cancel()]

    def _commit(self, batch: list[_Request]) -> None:
        try:
            self._settle()
            rows, grown = _stage(self._frontier, batch)
            self._uncertain = grown
            self._append_batch(rows)
        # Whatever it was: a waiter that isn't answered would hang for ever, and so would all after it.
        except BaseException as error:  # noqa: BLE001
            _fail(batch, error)
            return
        start = self._frontier.size
        self._frontier, self._uncertain = grown, None
        for request in batch:
            request.indices.set_result(list(range(start, start + len(request.entries))))
            start += len(request.entries)

    def _settle(self) -> None:
        """Learn the fate of the last batch, if it isn't known."""
        if self._uncertain is None or self._reload is None:
            return
        durable = self._reload()
        if durable not in (self._frontier, self._uncertain):
            raise LedgerError("FOREIGN_WRITER", "the store holds a tree that this sequencer didn't write")
        self._frontier, self._uncertain = durable, None


def _stage(frontier: Frontier, batch: list[_Request]) -> tuple[list[Row], Frontier]:
    """The rows of a batch and the tree after it."""
    rows = []
    for request in batch:
        for entry, mark in zip(request.entries, request.marks, strict=True):
            leaf = leaf_hash(entry)
            index = frontier.size
            frontier, nodes = frontier.append(leaf)
            rows.append(Row(index, entry, leaf, nodes, mark))
    return rows, frontier


def _fail(batch: list[_Request], error: BaseException) -> None:
    # Of a foreign error only its kind: a driver's text may quote what it was given.
    reason, text = "NOT_DURABLE", f"the store didn't take the batch ({type(error).__name__})"
    if isinstance(error, LedgerError):
        reason, text = error.reason, error.text
    for request in batch:
        # One each, since every waiter's thread adds its own traceback.
        request.indices.set_exception(LedgerError(reason, text))
