"""A whole exchange on this machine, as a value with a start and an end. `leadx up`, the demo and tests run this one.

with Exchange(Path("data")) as exchange:
    exchange.http_url, exchange.grpc_target, exchange.ca_path, exchange.token("prosecutor")
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from services.command import migrate, ports, token
from services.command.child import Child
from services.command.install import Settings, database_url, install, write_private
from services.command.layout import AREAS, GATEWAY, PROCESSES, Layout
from services.command.ready import Readiness
from services.command.supervisor import Supervisor
from services.shared.clock import SystemClock

# Nobody is left without whom he still writes to.
_STOP_ORDER = (("gateway",), ("referral", "review", "casework", "provider", "outcomes"), ("consent",), ("audit",))
_LOCK_SECONDS = 10.0
_LOOK_SECONDS = 0.05
# Exit code of a process that was told something it cannot use: trying again would not help.
_UNUSABLE = 2


class StartFailed(Exception):  # noqa: N818 - it is a state to mend, reported as it reads
    """The exchange did not come up; the text says who is to blame, and where its log is."""


class Exchange:
    """An exchange in a folder. Start and stop it once."""

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        seed: bool = True,
        trace: str | bool = "none",
        settings: Settings | None = None,
        environ: dict[str, str] | None = None,
    ) -> None:
        """Nothing is made or started before `start`.

        HTTP on `port` and gRPC on the next one, or both on free ports for 0; `seed` takes the sample registry; `trace`
        is `none`, `otlp:<endpoint>`, or `file` or True for spans of each process in `<data>/spans/<process>.jsonl`;
        `settings` has more configuration by process, `environ` more environment for all processes.
        """
        self.layout = Layout.at(data_dir)
        self._port, self._seed, self._settings = port, seed, settings
        self._trace = ("file" if trace else "none") if isinstance(trace, bool) else trace
        self._environ = environ or {}
        self._clock = SystemClock()
        self._open = contextlib.ExitStack()
        self._ports: ports.Ports | None = None
        self._supervisor: Supervisor | None = None
        self._interrupted: Callable[[], bool] = lambda: False

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def http_url(self) -> str:
        """`https://` address of the HTTP face."""
        return f"https://{ports.HOST}:{self.ports.http}"

    @property
    def grpc_target(self) -> str:
        """host:port of the gRPC face."""
        return f"{ports.HOST}:{self.ports.grpc}"

    @property
    def ca_path(self) -> Path:
        """Certificate that both faces are checked by."""
        return self.layout.ca

    @property
    def ports(self) -> ports.Ports:
        """Where everybody listens. Raises RuntimeError before the start."""
        if self._ports is None:
            raise RuntimeError("the exchange has not been started")
        return self._ports

    def start(self, timeout: float = 60.0, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Start all and return when all are ready.

        Raises PortTaken, OSError, and StartFailed after `timeout` seconds or when `interrupted`.
        """
        self._interrupted = interrupted
        try:
            self._start(timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all, in order. Safe to call twice."""
        if self._supervisor is not None:
            self._supervisor.stop(_STOP_ORDER)
            self.layout.state.unlink(missing_ok=True)
        self._open.close()
        self._supervisor = None

    def stop_now(self) -> None:
        """Kill all processes."""
        if self._supervisor is not None:
            self._supervisor.stop_now()

    def token(self, role: str, **wishes: Any) -> str:
        """Return a token of the development issuer; `wishes` as of `services.command.token.Wanted`. Raises NoToken."""
        return token.mint(self.layout.data, token.Wanted(role, **wishes))

    def pid(self, process: str) -> int:
        """Return the process id of an area or of the gateway, 0 while it is down."""
        return self._running().child(process).pid

    def kill(self, process: str, number: int = signal.SIGKILL, *, stay_down: bool = False) -> None:
        """Send a signal to a process. It is started again when it dies, unless it is to stay down until `restart`."""
        self._running().kill(process, number, stay_down=stay_down)

    def restart(self, process: str, timeout: float = 30.0) -> None:
        """Stop a process if it runs, start it, and wait until it is ready. Raises StartFailed."""
        self._running().restart(process)
        self.wait((process,), timeout)

    def wait(self, processes: Sequence[str] = PROCESSES, timeout: float = 30.0) -> None:
        """Return when these are ready. Raises StartFailed after `timeout` seconds, or when one can never be."""
        end = self._clock.monotonic() + timeout
        with contextlib.closing(Readiness(self.layout, self.ports)) as readiness:
            waiting = list(processes)
            while waiting := [process for process in waiting if not readiness.ready(process)]:
                self._give_up(waiting, late=self._clock.monotonic() > end)
                time.sleep(_LOOK_SECONDS)

    def _start(self, timeout: float) -> None:
        self.layout.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._open.enter_context(_locked(self.layout.run / "lock", min(timeout, _LOCK_SECONDS)))
        self._ports = ports.choose(self._port, AREAS)
        install(self.layout, self.ports, seed=self._seed, trace=self._trace, settings=self._settings)
        for process in PROCESSES:
            migrate.upgrade(process, database_url(self.layout.database(process)))
            self.layout.database(process).chmod(0o600)
        shutil.rmtree(self.layout.metrics, ignore_errors=True)
        self.layout.metrics.mkdir(mode=0o700)
        self._supervisor = Supervisor([self._child(process, lock) for process in PROCESSES], self._clock, self._note)
        self._supervisor.start()
        self.wait(timeout=timeout)

    def _child(self, process: str, lock: int) -> Child:
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self.layout.metrics), **self._environ}
        return Child(process, self.layout.config(process), self.layout.log(process), environ, lock)

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the exchange has not been started")
        return self._supervisor

    def _note(self) -> None:
        """Write down who runs where, for tests and for somebody who looks."""
        children = {process: self._running().child(process) for process in PROCESSES}
        state = {
            "supervisor": os.getpid(),
            "http": self.http_url,
            "grpc": self.grpc_target,
            "ca": str(self.ca_path),
            "ports": {**self.ports.areas, GATEWAY: self.ports.http},
            "pids": {process: child.pid for process, child in children.items()},
            "starts": {process: child.starts for process, child in children.items()},
        }
        write_private(self.layout.state, json.dumps(state, indent=1).encode())
        alive = {str(child.pid) for child in children.values()}
        for gauge in self.layout.metrics.glob("gauge_live*.db"):
            # Of a process that died; what it last measured is true no more.
            if gauge.stem.rpartition("_")[2] not in alive:
                gauge.unlink(missing_ok=True)

    def _give_up(self, waiting: Sequence[str], *, late: bool) -> None:
        if self._interrupted():
            raise StartFailed("The start was interrupted.")
        for process in waiting:
            child = self._running().child(process)
            if late or child.code == _UNUSABLE:
                raise StartFailed(f"{process} does not start. Its log, {child.log}, ends with:\n{child.last_lines()}")


@contextlib.contextmanager
def _locked(path: Path, seconds: float) -> Iterator[int]:
    """Hold the folder for one exchange; its processes hold it too, so that none of an earlier one is still writing."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + seconds
        while not _lock(handle):
            if time.monotonic() > end:
                raise StartFailed(f"Another exchange runs on {path.parent.parent}. Stop it, or choose another --data.")
            time.sleep(_LOOK_SECONDS)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
