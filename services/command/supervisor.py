"""Keeps the processes of a development exchange running: who dies is started again, and all are stopped in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence

from services.command.child import Child
from services.shared.clock import Clock

_LOOK_SECONDS = 0.1
_STOP_SECONDS = 8.0


class Supervisor:
    """Safe to call from several threads."""

    def __init__(self, children: Sequence[Child], clock: Clock, changed: Callable[[], None]) -> None:
        """Watch these; `changed` is called whenever a process id is another one."""
        self._children = {child.name: child for child in children}
        self._clock, self._changed = clock, changed
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._held: set[str] = set()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start all at once, then watch."""
        with self._lock:
            for child in self._children.values():
                child.start(self._clock.monotonic())
        self._changed()
        self._thread.start()

    def kill(self, name: str, number: int, *, stay_down: bool = False) -> None:
        """Send a signal to one; unless it is to stay down, it is started again when it dies. Waits for a SIGKILL."""
        with self._lock:
            child = self._children[name]
            if stay_down:
                self._held.add(name)
            child.signal(number)
            if number == signal.SIGKILL:
                child.ended(_STOP_SECONDS)

    def restart(self, name: str) -> None:
        """Stop one if it runs, and start it at once."""
        with self._lock:
            child = self._children[name]
            self._held.discard(name)
            child.signal(signal.SIGTERM)
            child.end(_STOP_SECONDS)
            child.start(self._clock.monotonic())
        self._changed()

    def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop all, one group after the other."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for names in order:
            for name in names:
                self._children[name].signal(signal.SIGTERM)
            for name in names:
                self._children[name].end(_STOP_SECONDS)

    def stop_now(self) -> None:
        """Kill all that is left. For somebody who doesn't want to wait."""
        self._stopping.set()
        for child in self._children.values():
            child.signal(signal.SIGKILL)

    def child(self, name: str) -> Child:
        """Return one. Raises KeyError."""
        return self._children[name]

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._lock:
                started = [self._looked_after(child) for child in self._children.values()]
            if any(started):
                self._changed()

    def _looked_after(self, child: Child) -> bool:
        now = self._clock.monotonic()
        if child.alive() or child.name in self._held:
            return False
        if child.due is None:
            child.died(now)
            return True
        if now >= child.due:
            child.start(now)
            return True
        return False
