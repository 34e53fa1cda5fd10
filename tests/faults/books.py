"""What the processes have written down, read from their files: what is left to do, what came, what is there twice."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gateway.feed import readings
from services.command.audit import audit
from services.command.layout import GATEWAY, WITNESSES, Layout
from tests.faults.waiting import PATIENCE_SECONDS

_CONSUMED: Mapping[str, tuple[str, ...]] = {
    "referral": ("review", "casework"),
    "review": ("referral", "casework"),
    "casework": ("referral", "outcomes"),
    "provider": ("casework",),
    "outcomes": ("referral", "casework"),
}
# Between two looks something may be on its way where neither looks.
_QUIET_LOOKS = 2


class Books:
    """Reads an exchange's files while it runs. Writes nothing."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def count(self, process: str, table: str, where: str = "1=1") -> int:
        """Count the rows of a table of one process."""
        return int(self.rows(process, f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - constants

    def rows(self, process: str, query: str) -> list[Any]:
        """Return what a query finds in the database of one process."""
        with _opened(self._layout.database(process)) as file:
            return file.execute(query).fetchall()

    def waiting(self, area: str) -> int:
        """How many rows of an area's outbox are not sent."""
        return self.count(area, "outbox", "sent_at IS NULL")

    def logged(self, topic: str) -> Counter[str]:
        """How often each event is in a topic of the log, by its id."""
        return Counter(json.loads(row[0])["ce_id"] for row in self._log(topic, "SELECT headers FROM record"))

    def applied(self, area: str) -> set[str]:
        """The ids of the events that an area has applied."""
        return {row[0] for row in self.rows(area, "SELECT event_id FROM inbox")}

    def position(self, process: str, topic: str) -> int:
        """How far a process has read a topic, as it has committed it."""
        found = self.rows(process, f"SELECT position FROM consumer_offset WHERE topic = '{topic}'")  # noqa: S608
        return int(found[0][0]) if found else 0

    def settle(self) -> None:
        """Wait until nothing is left anywhere to send, to apply, or to follow from it.

        However much it is: fails only when nothing goes on any more.
        """
        left, quiet, end = self.left(), 0, time.monotonic() + PATIENCE_SECONDS
        while quiet < _QUIET_LOOKS:
            time.sleep(0.05)
            before, left = left, self.left()
            quiet = 0 if left else quiet + 1
            if left != before:
                end = time.monotonic() + PATIENCE_SECONDS
            assert time.monotonic() < end, f"nothing goes on for {PATIENCE_SECONDS:.0f} s: {left}"

    def left(self) -> dict[str, int]:
        """What is still to be done, and how much of it; empty when nothing is."""
        left = {f"outbox of {area}": self.waiting(area) for area in _CONSUMED}
        left |= {f"spool of {process}": self.count(process, "ledger_spool") for process in (GATEWAY, "consent")}
        left |= {f"events for {area}": self._behind(area, topics) for area, topics in _CONSUMED.items()}
        left |= {"events for the feed": self._behind(GATEWAY, readings.topics())}
        left |= {"marks of casework's index": self.count("casework", "index_pending")}
        return {what: much for what, much in left.items() if much}

    def amiss(self) -> list[Any]:
        """What is there twice, what never came, and what anybody had to give up: empty in a sound exchange."""
        found = self.rows("review", "SELECT referral_id, office_id FROM reviews GROUP BY 1, 2 HAVING count(*) > 1")
        for process in (*_CONSUMED, GATEWAY):
            found += self.rows(process, "SELECT topic, reason FROM dead_letter")
        found += self.rows(GATEWAY, "SELECT reason FROM ledger_buried")
        for area, topics in _CONSUMED.items():
            applied = self.applied(area)
            found += [(area, event) for topic in topics for event in self.logged(topic).keys() - applied]
        return found

    def verified(self, folder: Path) -> int:
        """Return how many entries the ledger holds, checked offline against its key and what the witnesses have."""
        key, file = self._layout.ledger_key.with_suffix(".pub"), folder / "ledger.jsonl"
        # Before the export: what they are given meanwhile covers more than it holds.
        kept = [shutil.copy(self._layout.witness(each) / "latest.note", folder / each) for each in WITNESSES]
        _run("export", "--data", self._layout.data, "--output", file)
        witnessed = [f"--checkpoint={note}" for note in kept]
        verdict = json.loads(_run("verify", "--json", file, "--public-key", key, *witnessed))
        assert verdict["ok"], verdict
        return int(verdict["entries"])

    def _behind(self, process: str, topics: tuple[str, ...]) -> int:
        return sum(self._end(topic) - self.position(process, topic) for topic in topics)

    def _end(self, topic: str) -> int:
        found = self._log(topic, "SELECT max(place) FROM record")
        return int(found[0][0] or 0) if found else 0

    def _log(self, topic: str, query: str) -> list[Any]:
        path = self._layout.event_log / f"{topic}.log.db"
        if not path.exists():
            return []
        with _opened(path) as file:
            return file.execute(query).fetchall()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as file:
        yield file


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(audit, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.output
