"""Work that an area does from time to time: purging, signing, tidying. One thread each, one failure never the last."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Chore:
    """Runs a function every so many seconds until it is stopped."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        """`name` is for the log; `work` may raise, and is then tried again at the next turn."""
        self._name, self._seconds, self._work = name, seconds, work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a first turn at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 - a chore outlives every failure, and tells its kind only
                _log.error("chore failed", extra={"chore": self._name, "reason": type(error).__name__})
            if self._stopping.wait(self._seconds):
                return
