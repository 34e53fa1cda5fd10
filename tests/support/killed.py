"""Runs a process of the exchange as it is configured, and strikes it at a named point: where a fault would hurt most.

    python -m tests.support.killed AREA|gateway POINT SIGNAL --config FILE

It is the real command with one function wrapped. SIGUSR1 arms it, which it answers by a line on stdout; when the point
is reached next, the process sends the signal to itself, once, and the thread that reached it does nothing more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from services.command.serve import serve

ARMED = "armed"
_NOTICED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """Where to strike: before or after a function of `owner` (a module, or `module:Class`) has done its work.

    One that is awaited can only be struck before.
    """

    owner: str
    name: str
    after: bool = False

    def place(self) -> Any:
        """Return the class or module that has the function; it is loaded where it is struck, and nowhere else."""
        module, _, inside = self.owner.partition(":")
        found = import_module(module)
        return getattr(found, inside) if inside else found


_EVENTS = "services.shared.events"
_INDEX = "services.casework.index"
_FEED = "gateway.feed"
POINTS: Mapping[str, Point] = {
    # State change and event are durable; nobody was told.
    "before-answer": Point(f"{_EVENTS}.relay:Relay", "nudge"),
    # Statements have arrived at consent, the events of the same round are not in the log.
    "before-append": Point(f"{_EVENTS}.embedded:EmbeddedWriter", "append"),
    # The events are in the log, the outbox does not know.
    "before-mark": Point(f"{_EVENTS}.outbox", "mark_sent"),
    # The handler has written; inbox, position and effect are not committed.
    "before-commit": Point(f"{_EVENTS}.effect:Effects", "apply", after=True),
    # All of a batch from the log is committed; the consumer does not know.
    "after-commit": Point(f"{_EVENTS}.batch:Batches", "_apply_live", after=True),
    # Casework: a record is marked; what follows from it is not looked at yet.
    "before-linking": Point(f"{_INDEX}.publish:Publishing", "_settle"),
    # Casework: what follows is written and the mark is gone, in a transaction that is not committed.
    "before-linked": Point(f"{_INDEX}.store_pending", "done", after=True),
    # Gateway: events, pointers and position are written, and not committed.
    "before-fed": Point(f"{_EVENTS}.offsets", "move", after=True),
    # Gateway: all of it is committed; the writer does not know.
    "after-fed": Point(f"{_FEED}.ingest:Ingest", "_settle"),
    # Gateway: an event is decided and on the ledger; its bytes have not left.
    "before-told": Point(f"{_FEED}.subscription:Subscription", "_note_alive"),
    # Gateway: its bytes have left; the stream does not know.
    "after-told": Point(f"{_FEED}.recent:Recent", "add"),
    # Gateway: an event was passed over, which is not noted.
    "before-noted": Point(f"{_FEED}.desk:FeedDesk", "withhold"),
}


def main(process: str, point: str, number: int, arguments: list[str]) -> None:
    """Serve the process until it is struck."""
    armed = threading.Event()

    def strike() -> None:
        if armed.is_set():
            armed.clear()
            os.kill(os.getpid(), number)
            # Another thread may take the signal, and this one would go on until the process has noticed.
            time.sleep(_NOTICED_SECONDS)

    _wrap(POINTS[point], strike)

    def arm(*_: object) -> None:
        armed.set()
        os.write(sys.stdout.fileno(), f"{ARMED}\n".encode())

    signal.signal(signal.SIGUSR1, arm)
    serve.main([process, *arguments], standalone_mode=False)


def _wrap(point: Point, strike: Callable[[], None]) -> None:
    place = point.place()
    real = getattr(place, point.name)

    def struck(*arguments: Any, **named: Any) -> Any:
        if not point.after:
            strike()
        result = real(*arguments, **named)
        if point.after:
            strike()
        return result

    setattr(place, point.name, struck)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
