"""A durable store in memory that can be held up, fail, and fail after it has written."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from services.audit.merkle import Frontier, MemoryNodes, Node
from services.audit.sequencer import Row

# Only a broken test waits that long.
PATIENCE = 30.0


class FakeStore:
    """Rows under a primary key, as a database would keep them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.batches: list[int] = []
        self.nodes = MemoryNodes()
        self.fail_before: deque[BaseException] = deque()
        self.fail_after: deque[BaseException] = deque()
        self._entered = threading.Semaphore(0)
        self._open = threading.Event()
        self._open.set()

    def append_batch(self, rows: Sequence[Row]) -> None:
        self._entered.release()
        assert self._open.wait(PATIENCE)
        if self.fail_before:
            raise self.fail_before.popleft()
        for row in rows:
            assert row.index == len(self.rows), "the index is taken or leaves a gap"
            self.rows.append(row)
            self.nodes.put([Node(0, row.index, row.leaf_hash), *row.nodes])
        self.batches.append(len(rows))
        if self.fail_after:
            raise self.fail_after.popleft()

    def frontier(self) -> Frontier:
        """The durable tree, read back."""
        return Frontier.load(self.nodes, len(self.rows))

    def hold(self) -> None:
        """Keep the next batch from becoming durable."""
        self._open.clear()

    def wait_until_entered(self) -> None:
        """Wait until one more batch has reached the store."""
        assert self._entered.acquire(timeout=PATIENCE)

    def release(self) -> None:
        self._open.set()
