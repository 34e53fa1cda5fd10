"""Reads a stream ahead of its consumer, so that what arrives together is stored together."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
# How soon the reader notices that nobody takes its items any more.
_LOOK_SECONDS = 0.2


class _End:
    """Stands behind the last item; holds what the source raised, if it did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Ahead(Generic[T]):
    """A thread that takes items from a blocking source while the consumer is busy with earlier ones."""

    def __init__(self, source: Iterable[T], most: int) -> None:
        """Hold at most `most` items; a source that is quicker waits, and so does whoever sends to it."""
        self._source, self._most = source, most
        self._items: queue.Queue[T | _End] = queue.Queue(most)
        self._stopped = threading.Event()

    def groups(self) -> Iterator[list[T]]:
        """Yield what is there, at least one item at a time, in order; waits for the first one only.

        Raises what the source raised, after the items before it. Closing the iterator ends the thread.
        """
        # The source's steps belong to the same request as the consumer's.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._read,), name="read-ahead", daemon=True).start()
        try:
            end: _End | None = None
            while end is None:
                group, end = self._available()
                if group:
                    yield group
            if end.error is not None:
                raise end.error
        finally:
            self._stopped.set()

    def _available(self) -> tuple[list[T], _End | None]:
        group: list[T] = []
        item = self._items.get()
        while not isinstance(item, _End):
            group.append(item)
            if len(group) == self._most:
                return group, None
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                return group, None
        return group, item

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._source:
                if not self._put(item):
                    return
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is raised again where it is waited for
            error = raised
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._items.put(item, timeout=_LOOK_SECONDS)
                return True
            except queue.Full:
                continue
        return False
