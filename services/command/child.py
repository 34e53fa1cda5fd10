"""One process of a development exchange, as its supervisor sees it: started, watched, started again with back-off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 8.0
# Who ran this long had a good start: its next death waits the shortest time again.
_GOOD_RUN = 10.0


class Backoff:
    """How long to wait before the next start: doubled with each early death."""

    def __init__(self) -> None:
        """Begin with the shortest wait."""
        self._wait = _FIRST_WAIT

    def after(self, ran: float) -> float:
        """Return the seconds to wait after a run of `ran` seconds."""
        if ran >= _GOOD_RUN:
            self._wait = _FIRST_WAIT
        wait, self._wait = self._wait, min(_LONGEST_WAIT, self._wait * 2)
        return wait


class Child:
    """A process that belongs to the exchange. Not for several threads at once."""

    def __init__(self, name: str, config: Path, log: Path, environ: Mapping[str, str], lock: int) -> None:
        """Nothing runs before `start`. `lock` is a file descriptor that the process keeps open while it lives."""
        self.name, self.log = name, log
        self._command = [sys.executable, "-m", "services.command.main", "serve", name, "--until-eof"]
        self._command += ["--config", str(config)]
        self._environ, self._lock = dict(environ), lock
        self._process: subprocess.Popen[bytes] | None = None
        self._backoff = Backoff()
        self._started = 0.0
        # When to start it again, by the monotonic clock; None while it runs or is meant to stay down.
        self.due: float | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """Process id, 0 while none runs."""
        return self._process.pid if self._process is not None and self.alive() else 0

    @property
    def code(self) -> int | None:
        """Exit code of the last run, None before its end; negative for a signal."""
        return None if self._process is None else self._process.poll()

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, now: float) -> None:
        """Start it. Its stdin ends when this process does, whatever way, and it stops then."""
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environ,
                pass_fds=(self._lock,),
                # Ctrl-C in a terminal is for the supervisor alone, which stops all in order.
                start_new_session=True,
                umask=0o077,
            )
        self._started, self.due = now, None
        self.starts += 1

    def died(self, now: float) -> None:
        """Note its death and when to start it again."""
        self.due = now + self._backoff.after(now - self._started)

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.alive() and self._process is not None:
            self._process.send_signal(number)

    def ended(self, timeout: float) -> bool:
        """Wait for its end; False when it still runs after `timeout` seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        if self._process.stdin is not None:
            self._process.stdin.close()
        return True

    def end(self, timeout: float) -> None:
        """Wait for its end, and kill it after `timeout` seconds."""
        if not self.ended(timeout):
            self.signal(signal.SIGKILL)
            self.ended(timeout)

    def last_lines(self, count: int = 3) -> str:
        """Return the end of its log, for somebody who has to find out why it does not start."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
                return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-count:])
        except OSError:
            return ""
