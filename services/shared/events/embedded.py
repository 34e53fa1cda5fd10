"""The log in one folder: a SQLite file per topic, written by the topic's area alone, read by everybody else.

For development and for a county on one machine. Readers open the file read-only and notice commits by SQLite's
`data_version`, which costs a look into shared memory, 50 times a second.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from services.shared.clock import Clock
from services.shared.events.log import START, Entry, LogRecord, LogUnavailableError

# Topics keep 400 days (architecture section 6).
KEPT = timedelta(days=400)
_POLL_SECONDS = 0.02
_BUSY_SECONDS = 10.0
_PURGE_EVERY_SECONDS = 24 * 3600.0
_TOPIC = re.compile(r"[a-z][a-z_]{0,40}", re.ASCII)
# AUTOINCREMENT: an offset is never given twice, even after everything old was purged.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  headers TEXT NOT NULL,
  appended REAL NOT NULL
)
"""


class EmbeddedWriter:
    """Appends to the one topic that its area owns."""

    def __init__(self, folder: Path, topic: str, clock: Clock) -> None:
        """Open or create the topic's file. Raises LogUnavailableError when that cannot be done."""
        self._topic = topic
        self._clock = clock
        with _as_unavailable():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(
                _path(folder, topic), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _SCHEMA):
                self._file.execute(statement).close()
        self._purge_at = clock.monotonic()

    def append(self, entries: Sequence[Entry]) -> None:
        """Append in one transaction, synced to disk on return.

        Raises LogUnavailableError, then nothing was appended, and ValueError for a topic that is not the writer's.
        """
        if any(entry.topic != self._topic for entry in entries):
            raise ValueError("a topic is written by its own area only")
        now = self._clock.now().timestamp()
        rows = [(entry.key, entry.value, _to_text(entry.headers), now) for entry in entries]
        with _as_unavailable(), _transaction(self._file):
            self._file.executemany("INSERT INTO record (key, value, headers, appended) VALUES (?, ?, ?, ?)", rows)
        self._purge_when_due()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _purge_when_due(self) -> None:
        if self._clock.monotonic() < self._purge_at:
            return
        self._purge_at = self._clock.monotonic() + _PURGE_EVERY_SECONDS
        oldest = (self._clock.now() - KEPT).timestamp()
        # What was appended is durable already; purging can wait a day more.
        with suppress(sqlite3.Error):
            self._file.execute("DELETE FROM record WHERE appended < ?", (oldest,)).close()


class EmbeddedReader:
    """Reads any topics of the folder; one whose area has not written yet is empty."""

    def __init__(self, folder: Path, topics: Sequence[str]) -> None:
        """Read these topics; nothing is opened before the first poll."""
        self._paths = {topic: _path(folder, topic) for topic in topics}
        self._files: dict[str, sqlite3.Connection] = {}
        self._polled: dict[str, int] = {}
        self._woken = threading.Event()

    def poll(self, topic: str, after_offset: int, limit: int) -> list[LogRecord]:
        """Return what lies behind an offset. Raises LogUnavailableError."""
        query = "SELECT place, key, value, headers FROM record WHERE place > ? ORDER BY place LIMIT ?"
        with _as_unavailable():
            file = self._file(topic)
            if file is None:
                return []
            # The version first: what is committed after it makes the next wait return at once.
            self._polled[topic] = _version(file)
            rows = file.execute(query, (after_offset, limit)).fetchall()
        return [LogRecord(topic, place, key, value, _from_text(text)) for place, key, value, text in rows]

    def wait(self, timeout: float) -> bool:
        """Wait for news, looking every 20 ms."""
        end = time.monotonic() + timeout
        while not self._has_news():
            left = end - time.monotonic()
            if left <= 0 or self._woken.wait(min(left, _POLL_SECONDS)):
                self._woken.clear()
                return False
        return True

    def wake(self) -> None:
        """End the wait."""
        self._woken.set()

    def end_offset(self, topic: str) -> int:
        """Return the newest offset. Raises LogUnavailableError."""
        with _as_unavailable():
            file = self._file(topic)
            found = file.execute("SELECT max(place) FROM record").fetchone()[0] if file else None
        return START if found is None else int(found)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _has_news(self) -> bool:
        with suppress(sqlite3.Error, LogUnavailableError):
            return any(self._has_grown(topic) for topic in self._paths)
        return False

    def _has_grown(self, topic: str) -> bool:
        file = self._file(topic)
        return file is not None and self._polled.get(topic) != _version(file)

    def _file(self, topic: str) -> sqlite3.Connection | None:
        if topic in self._files:
            return self._files[topic]
        path = self._paths[topic]
        if not path.exists():
            return None
        uri = f"{path.absolute().as_uri()}?mode=ro"
        file = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
        with closing(file.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'")) as found:
            is_made = found.fetchone() is not None
        if not is_made:
            file.close()
            return None
        self._files[topic] = file
        return file


def _path(folder: Path, topic: str) -> Path:
    if not _TOPIC.fullmatch(topic):
        raise ValueError("a topic is one lower-case word")
    return folder / f"{topic}.log.db"


def _version(file: sqlite3.Connection) -> int:
    with closing(file.execute("PRAGMA data_version")) as found:
        return int(found.fetchone()[0])


@contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[None]:
    file.execute("BEGIN IMMEDIATE").close()
    try:
        yield
        file.execute("COMMIT").close()
    except BaseException:
        if file.in_transaction:
            file.execute("ROLLBACK").close()
        raise


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise LogUnavailableError(f"the embedded log does not answer: {type(error).__name__}") from None


def _to_text(headers: Mapping[str, bytes]) -> str:
    # Latin-1 gives every byte a character and back.
    return json.dumps({name: value.decode("latin-1") for name, value in headers.items()})


def _from_text(text: str) -> dict[str, bytes]:
    return {name: value.encode("latin-1") for name, value in json.loads(text).items()}
