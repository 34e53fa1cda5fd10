from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from sqlalchemy import Connection, event

from services.audit import store
from services.audit.merkle import LedgerError
from services.audit.soundness import sound_head
from services.shared.db import Database
from tests.integration.audit.desk import KEY, a_database, a_ledger, an_access

# What a write does in turn: head, entries, nodes, head again, and the commit. A step more shows that all were met.
STEPS = range(6)


class CrashError(Exception):
    """Stands for the end of the process."""


class CrashingDatabase(Database):
    """Ends in the given step of each write: a statement, counted from 0, or what comes after the commit."""

    step: int | None = None
    after_commit = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            counted = iter(range(100))

            def crash(*_: object) -> None:
                if next(counted) == self.step:
                    raise CrashError

            if self.step is not None:
                event.listen(connection, "before_cursor_execute", crash)
                event.listen(connection, "commit", crash)
            yield connection
        if self.after_commit:
            raise CrashError


def sound_size(db: Database) -> int:
    with db.read() as connection:
        return sound_head(connection, KEY.public_key(), ()).size


def drafts(turn: int) -> list[EntryDraft]:
    return [an_access(f"{turn}/{number}") for number in range(3)]


@pytest.mark.parametrize("goes_on", [False, True], ids=["in a new process", "in the same process"])
@pytest.mark.parametrize("step", [*STEPS, "after"])
def test_a_write_that_ends_anywhere_is_whole_or_absent_and_can_be_repeated(
    tmp_path: Path, step: int | str, goes_on: bool
) -> None:
    db = CrashingDatabase(a_database(tmp_path).engine)
    ledger = a_ledger(db)
    assert ledger.append("gateway", drafts(0)) == [0, 1, 2]
    db.step, db.after_commit = (None, True) if isinstance(step, str) else (step, False)
    try:
        answered = ledger.append("gateway", drafts(1))
    except LedgerError:
        answered = []
    db.step, db.after_commit = None, False
    assert bool(answered) == (step == 5)
    assert sound_size(db) == (6 if answered or step == "after" else 3)
    if not goes_on:
        ledger.close()
        ledger = a_ledger(db)
    assert ledger.append("gateway", [*drafts(1), *drafts(2)]) == [3, 4, 5, 6, 7, 8]
    assert sound_size(db) == 9
    ledger.close()
    db.engine.dispose()


_CHILD = """
import itertools, sys
from pathlib import Path
from tests.integration.audit.desk import a_database, a_ledger, an_access
ledger = a_ledger(a_database(Path(sys.argv[1])))
for turn in itertools.count():
    print(*ledger.append("gateway", [an_access(f"{turn}/{n}") for n in range(5)]), flush=True)
"""


@pytest.mark.slow
def test_every_acknowledged_entry_outlives_the_process(tmp_path: Path) -> None:
    a_database(tmp_path).engine.dispose()
    path = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "protos" / "gen")])
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait(30)
    acknowledged = [int(word) for line in lines if line.endswith("\n") for word in line.split()]
    db = a_database(tmp_path)
    assert acknowledged == list(range(len(acknowledged)))
    assert sound_size(db) >= len(acknowledged) >= 100
    ledger = a_ledger(db)
    assert ledger.append("gateway", [an_access("0/0"), an_access("19/4")]) == [0, 99]
    ledger.close()
    with db.read() as connection:
        assert store.length(connection) == store.head(connection).size
    db.engine.dispose()
