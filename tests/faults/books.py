"""What the processes have written down, read from their files: what is left to send, what came, what is there twice."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from services.command.audit import audit
from services.command.layout import WITNESSES, Layout
from tests.faults.waiting import until

_CONSUMED = {"referral": ("review", "casework"), "review": ("referral", "casework"), "casework": ("referral",)}


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
        path = self._layout.event_log / f"{topic}.log.db"
        if not path.exists():
            return Counter()
        with _opened(path) as file:
            return Counter(json.loads(row[0])["ce_id"] for row in file.execute("SELECT headers FROM record"))

    def applied(self, area: str) -> set[str]:
        """The ids of the events that an area has applied."""
        return {row[0] for row in self.rows(area, "SELECT event_id FROM inbox")}

    def settle(self) -> None:
        """Wait until every outbox and spool is empty and every event of the log has come to all its consumers."""
        for area in _CONSUMED:
            until(lambda area=area: not self.waiting(area), f"the outbox of {area} is empty")  # type: ignore[misc]
        for process in ("gateway", "consent"):
            until(lambda process=process: not self.count(process, "ledger_spool"), f"{process} has sent its spool")  # type: ignore[misc]
        for area, topics in _CONSUMED.items():
            until(lambda area=area, topics=topics: self._came(area, topics), f"{area} has applied all events")  # type: ignore[misc]

    def amiss(self) -> list[Any]:
        """What of review is there twice, and what any area had to give up: empty in a sound exchange."""
        found = self.rows("review", "SELECT referral_id, office_id FROM reviews GROUP BY 1, 2 HAVING count(*) > 1")
        for area in _CONSUMED:
            found += self.rows(area, "SELECT topic, reason FROM dead_letter")
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

    def _came(self, area: str, topics: tuple[str, ...]) -> bool:
        sent = {event for topic in topics for event in self.logged(topic)}
        return sent <= self.applied(area)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as file:
        yield file


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(audit, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.output
