"""A log in memory that obeys the same tests as the real ones, and can be told to fail."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

from services.shared.events.log import START, Entry, LogRecord, LogUnavailableError


class FakeLog:
    """Writer and reader in one; each reader of its own by `reader()`."""

    def __init__(self) -> None:
        self.records: dict[str, list[LogRecord]] = defaultdict(list)
        self.changed = threading.Condition()
        self._failures = 0

    def fail(self, times: int) -> None:
        """Let the next appends and polls fail, this many together."""
        self._failures = times

    def append(self, entries: Sequence[Entry]) -> None:
        self.fail_when_told()
        with self.changed:
            for entry in entries:
                topic = self.records[entry.topic]
                topic.append(LogRecord(entry.topic, len(topic), entry.key, entry.value, dict(entry.headers)))
            self.changed.notify_all()

    def reader(self) -> FakeReader:
        """Return a reader of this log."""
        return FakeReader(self)

    def fail_when_told(self) -> None:
        if self._failures > 0:
            self._failures -= 1
            raise LogUnavailableError("told to fail")

    def close(self) -> None:
        """Nothing to release."""


class FakeReader:
    """Reads a FakeLog."""

    def __init__(self, log: FakeLog) -> None:
        self._log = log
        self._polled: dict[str, int] = {}
        self._woken = False

    def poll(self, topic: str, after_offset: int, limit: int) -> list[LogRecord]:
        self._log.fail_when_told()
        with self._log.changed:
            records = self._log.records[topic]
            self._polled[topic] = len(records)
            return records[after_offset + 1 : after_offset + 1 + limit]

    def wait(self, timeout: float) -> bool:
        with self._log.changed:
            self._log.changed.wait_for(lambda: self._woken or self._has_news(), timeout)
            self._woken = False
            return self._has_news()

    def wake(self) -> None:
        with self._log.changed:
            self._woken = True
            self._log.changed.notify_all()

    def end_offset(self, topic: str) -> int:
        with self._log.changed:
            return len(self._log.records[topic]) - 1 if self._log.records[topic] else START

    def close(self) -> None:
        """Nothing to release."""

    def _has_news(self) -> bool:
        return any(len(records) > self._polled.get(topic, 0) for topic, records in self._log.records.items())
