"""Runs a process of the exchange as it is configured, and strikes it at a named point: where a fault would hurt most.

    python -m tests.support.killed AREA POINT SIGNAL --config FILE

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
from typing import Any

from services.command.serve import serve
from services.shared.events import outbox
from services.shared.events.batch import Batches
from services.shared.events.effect import Effects
from services.shared.events.embedded import EmbeddedWriter
from services.shared.events.relay import Relay

ARMED = "armed"
_NOTICED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """Where to strike: before or after a function of `owner` (a class or a module) has done its work."""

    owner: object
    name: str
    after: bool = False


POINTS: Mapping[str, Point] = {
    # State change and event are durable; nobody was told.
    "before-answer": Point(Relay, "nudge"),
    # Statements have arrived at consent, the events of the same round are not in the log.
    "before-append": Point(EmbeddedWriter, "append"),
    # The events are in the log, the outbox does not know.
    "before-mark": Point(outbox, "mark_sent"),
    # The handler has written; inbox, position and effect are not committed.
    "before-commit": Point(Effects, "apply", after=True),
    # All is committed; the consumer does not know.
    "after-commit": Point(Batches, "_settle"),
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
    real = getattr(point.owner, point.name)

    def struck(*arguments: Any, **named: Any) -> Any:
        if not point.after:
            strike()
        result = real(*arguments, **named)
        if point.after:
            strike()
        return result

    setattr(point.owner, point.name, struck)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
