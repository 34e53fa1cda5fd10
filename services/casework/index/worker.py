"""The thread that works off what the index marked: at once when it is told, else every second."""

from __future__ import annotations

import logging
import threading

from services.casework.index.publish import Publishing

_log = logging.getLogger(__name__)
_SECONDS = 1.0
# Who nudges is still inside his transaction.
_SETTLE_SECONDS = 0.05


class Worker:
    """Runs rounds of `Publishing` until it is stopped."""

    def __init__(self, publishing: Publishing) -> None:
        """Nothing runs before `start`."""
        self._publishing = publishing
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="person index", daemon=True)

    def start(self) -> None:
        """Begin, with a first round at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round under way."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def nudge(self) -> None:
        """Look soon: something was marked."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._publishing.round()
            except Exception as error:  # noqa: BLE001 - the thread outlives every failure; marks stay
                _log.error("person index waits", extra={"reason": type(error).__name__})
            if self._wake.wait(_SECONDS):
                self._wake.clear()
                self._stopping.wait(_SETTLE_SECONDS)
