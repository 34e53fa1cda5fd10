"""Sends records over a stream that may break: in order, few at a time, after a cut those again that nobody answered.

A record that was stored, but whose answer was lost, is UNCHANGED the second time, by its natural key.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import grpc
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.push.records import Outgoing, Result, result

IN_FLIGHT = 256
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_LOOK_SECONDS = 0.1
# What trying again cannot mend.
_FINAL = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
    }
)


class PushRefused(Exception):  # noqa: N818 - it is an answer, reported as it reads
    """The exchange does not take this stream: it or its sender is not what the exchange accepts."""


class Unreachable(Exception):  # noqa: N818 - it is a state to wait out, reported as it reads
    """There was no answer for too long."""


class Stream(Protocol):
    """One try: takes messages, gives answers in their order, and breaks with grpc.RpcError."""

    def __call__(self, messages: Iterator[pb.PushReferralsRequest]) -> Iterable[pb.PushReferralsResponse]:
        """Open it."""


class Sender:
    """Sends rows, one by one read from an iterator that may be long."""

    def __init__(
        self, rows: Iterator[Outgoing], stream: Stream, pause: Callable[[float], None], in_flight: int = IN_FLIGHT
    ) -> None:
        """`pause` waits between tries, and raises Unreachable to end them."""
        self._rows, self._stream, self._pause = rows, stream, pause
        self._in_flight = in_flight
        # Read and not answered, in order; those that are never sent among them.
        self._pending: deque[Outgoing] = deque()
        # Held while rows are read: the messages of a broken stream may still be asked for.
        self._reading = threading.Lock()
        self._read_all = False

    def results(self) -> Iterator[Result]:
        """Yield what became of each row, in order. Raises PushRefused, Unreachable, and what reading a row raises."""
        wait = _FIRST_WAIT
        while True:
            try:
                for each in self._session():
                    wait = _FIRST_WAIT
                    yield each
                if self._read_all and not self._pending:
                    return
            except grpc.RpcError as error:
                if error.code() in _FINAL:
                    raise PushRefused(str(error.details() or error.code().name)) from None
            self._pause(wait)
            wait = min(_LONGEST_WAIT, wait * 2)

    def _session(self) -> Iterator[Result]:
        session = _Session(self._rows, self._pending, self._reading, self._in_flight)
        try:
            for answer in self._stream(session.messages()):
                session.answered()
                yield from self._refused()
                yield result(self._pending.popleft(), answer)
        finally:
            self._read_all = session.end()
        session.raise_failure()
        yield from self._refused()

    def _refused(self) -> Iterator[Result]:
        """Yield the rows at the head that are never sent."""
        while self._pending and self._pending[0].message is None:
            yield self._pending.popleft().refused()


class _Session:
    """What one try sends: first what was not answered, then new rows, while few enough are under way."""

    def __init__(
        self, rows: Iterator[Outgoing], pending: deque[Outgoing], reading: threading.Lock, in_flight: int
    ) -> None:
        self._rows, self._pending, self._reading = rows, pending, reading
        self._again = [each for each in pending if each.message is not None]
        self._room = threading.Semaphore(in_flight)
        self._over = False
        self._read_all = False
        self._failure: Exception | None = None

    def messages(self) -> Iterator[pb.PushReferralsRequest]:
        """Yield the messages; gRPC asks for them in a thread of its own."""
        for each in self._again:
            if each.message is not None and self._has_room():
                yield each.message
        while self._has_room():
            message = self._next()
            if message is None:
                return
            yield message

    def answered(self) -> None:
        """Make room for one more."""
        self._room.release()

    def end(self) -> bool:
        """Read no more rows: another session will. Returns whether there are none left."""
        with self._reading:
            self._over = True
            return self._read_all

    def raise_failure(self) -> None:
        """Raise what reading the rows raised: gRPC would only say that the stream ended."""
        if self._failure is not None:
            raise self._failure

    def _has_room(self) -> bool:
        while not self._room.acquire(timeout=_LOOK_SECONDS):
            if self._over:
                return False
        return not self._over

    def _next(self) -> pb.PushReferralsRequest | None:
        """Return the next message; rows that are never sent wait for their turn to be told."""
        with self._reading:
            try:
                while not self._over:
                    each = next(self._rows, None)
                    if each is None:
                        self._read_all = True
                        return None
                    self._pending.append(each)
                    if each.message is not None:
                        return each.message
            except OSError as error:
                self._failure = error
        return None
