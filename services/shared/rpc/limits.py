"""What bounds a call: its deadline, and how many streams may hold a thread at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.shared.errors import Code, LeadError, exhausted
from services.shared.rpc.chain import Call, Step

# Less than this is not worth starting: the answer would come too late.
_LEAST_SECONDS = 0.005
# gRPC tells "no deadline" as some hundred billion years.
_NEVER_SECONDS = 1e9
_ends: ContextVar[float | None] = ContextVar("lead_call_ends", default=None)


@contextmanager
def deadline(call: Call) -> Iterator[None]:
    """Step: refuse a call without a deadline or with too little left. Streams may lack one: options.py bounds them."""
    left = call.context.time_remaining()
    if left > _NEVER_SECONDS:
        if not call.method.streaming:
            raise LeadError(Code.INVALID_ARGUMENT, "DEADLINE_REQUIRED", "A call needs a deadline.")
        yield
        return
    if left < _LEAST_SECONDS:
        raise LeadError(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "There was no answer in time.")
    _ends.set(time.monotonic() + left)
    yield


def bounded(seconds: float) -> float:
    """Return the seconds that a call made now may take: those asked for, or what the call being served has left."""
    ends = _ends.get()
    return seconds if ends is None else max(0.0, min(seconds, ends - time.monotonic()))


def streams(limit: int) -> Step:
    """Make the step that lets in at most `limit` streams: each holds a thread, and short calls need some too."""
    free = threading.Semaphore(limit)

    @contextmanager
    def step(call: Call) -> Iterator[None]:
        if not call.method.streaming:
            yield
            return
        if not free.acquire(blocking=False):
            raise exhausted("Too many streams are open. Try again later.")
        try:
            yield
        finally:
            free.release()

    return step
