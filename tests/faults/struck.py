"""A process of the running exchange, for a while replaced by one that strikes itself at a named point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.command.exchange import Exchange
from tests.faults.waiting import until
from tests.support.killed import ARMED

_ROOT = Path(__file__).parents[2]


class Struck:
    """The replacement, running and not armed."""

    def __init__(self, child: subprocess.Popen[bytes], number: int) -> None:
        self._child, self._number = child, number

    def arm(self) -> None:
        """Strike at the next occasion."""
        assert self._child.stdout is not None
        self._child.send_signal(signal.SIGUSR1)
        assert self._child.stdout.readline().decode().strip() == ARMED

    def is_struck(self) -> bool:
        """Whether it is dead by its own signal, or stopped by it."""
        if self._number == signal.SIGSTOP:
            state = Path(f"/proc/{self._child.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            return state == "T"
        return self._child.poll() == -self._number

    def go_on(self) -> None:
        """Let a stopped one go on."""
        self._child.send_signal(signal.SIGCONT)


@contextmanager
def struck(exchange: Exchange, process: str, point: str, number: int = signal.SIGKILL) -> Iterator[Struck]:
    """Run `process` so that it can be struck at `point` (tests/support/killed.py); the usual one comes back after."""
    exchange.kill(process, signal.SIGTERM, stay_down=True)
    until(lambda: not exchange.pid(process), f"{process} has stopped")
    arguments = [process, point, str(int(number)), "--config", str(exchange.layout.config(process)), "--until-eof"]
    with exchange.layout.log(process).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killed", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=_ROOT,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(exchange.layout.metrics)},
        )
    try:
        exchange.wait((process,))
        yield Struck(child, number)
    finally:
        child.kill()
        child.communicate()
        exchange.restart(process)
