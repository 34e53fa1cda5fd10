from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.command.child import Backoff, Child
from services.command.supervisor import Supervisor
from services.shared.clock import SystemClock

SLEEPER = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


class Process(Child):
    """A child that runs a line of Python instead of an area."""

    def __init__(self, folder: Path, name: str, code: str, lock: int) -> None:
        super().__init__(name, folder / "none.toml", folder / f"{name}.log", os.environ, lock)
        self._command = [sys.executable, "-c", code]


def until(done: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    yield handle
    os.close(handle)


@pytest.fixture
def supervisor(tmp_path: Path, lock: int) -> Iterator[Supervisor]:
    children = [Process(tmp_path, name, SLEEPER, lock) for name in ("one", "two")]
    made = Supervisor(children, SystemClock(), lambda: None)
    made.start()
    yield made
    made.stop([["one"], ["two"]])
    assert [child.alive() for child in children] == [False, False]


def test_waits_double_with_each_early_death_up_to_a_bound() -> None:
    backoff = Backoff()
    assert [backoff.after(0) for _ in range(7)] == [0.25, 0.5, 1, 2, 4, 8, 8]


def test_a_good_run_makes_the_next_wait_short_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0)
    assert backoff.after(60) == 0.25
    assert backoff.after(0) == 0.5


def test_a_process_that_dies_is_started_again(supervisor: Supervisor) -> None:
    before = supervisor.child("one").pid
    supervisor.kill("one", signal.SIGKILL)
    until(lambda: supervisor.child("one").pid not in (0, before))
    assert supervisor.child("one").starts == 2
    assert supervisor.child("two").starts == 1


def test_a_process_that_is_to_stay_down_does_until_it_is_restarted(supervisor: Supervisor) -> None:
    supervisor.kill("one", signal.SIGKILL, stay_down=True)
    time.sleep(0.6)
    assert supervisor.child("one").pid == 0
    supervisor.restart("one")
    assert supervisor.child("one").alive()


def test_a_process_stops_by_a_signal_of_its_own(supervisor: Supervisor) -> None:
    child = supervisor.child("one")
    until(child.alive)
    time.sleep(0.3)
    supervisor.stop([["one"], ["two"]])
    assert child.code == 0


def test_a_process_that_does_not_stop_is_killed(tmp_path: Path, lock: int) -> None:
    child = Process(tmp_path, "one", STUBBORN, lock)
    child.start(0.0)
    time.sleep(0.3)
    child.signal(signal.SIGTERM)
    child.end(0.2)
    assert child.code == -signal.SIGKILL


def test_the_end_of_the_log_tells_why_a_process_died(tmp_path: Path, lock: int) -> None:
    child = Process(tmp_path, "one", "import sys; print('a\\nb\\nc\\nd', file=sys.stderr); sys.exit(2)", lock)
    child.start(0.0)
    assert child.ended(10.0)
    assert (child.code, child.last_lines(2)) == (2, "c\nd")
