"""The event log as producers and consumers see it; `embedded` is one adapter, Kafka another.

A topic is one ordered sequence. Offsets rise strictly and may leave gaps. Consumers keep their own position, in their
own database beside their inbox, so the log knows no groups; an adapter for a broker assigns and seeks accordingly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

# The position before the first record of any topic.
START = -1


class LogUnavailableError(Exception):
    """The log does not answer; trying again later is right. Carries no content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record on its way to the log. `key` orders: records of one key keep their order on any adapter."""

    topic: str
    key: bytes
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as it lies on the log."""

    topic: str
    offset: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]


class LogWriter(Protocol):
    """Appends to the log. Used by one thread, the relay's."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Append in order; durable on return. Raises LogUnavailableError, after which some may have been appended."""
        ...

    def close(self) -> None:
        """Release what the writer holds."""
        ...


class LogReader(Protocol):
    """Reads the log. Used by one thread, except for `wake`."""

    def poll(self, topic: str, after_offset: int, limit: int) -> list[LogRecord]:
        """Return at most `limit` records behind an offset (`START` for all), in order; does not wait.

        Raises LogUnavailableError.
        """
        ...

    def wait(self, timeout: float) -> bool:
        """Wait until any topic has grown since it was last polled; returns at once when one already has.

        Returns False when `timeout` seconds passed without news, or when `wake` ended the wait.
        """
        ...

    def wake(self) -> None:
        """End a `wait` that is under way, or the next one; callable from any thread."""
        ...

    def end_offset(self, topic: str) -> int:
        """Return the offset of the newest record, `START` when there is none. Raises LogUnavailableError."""
        ...

    def close(self) -> None:
        """Release what the reader holds."""
        ...
