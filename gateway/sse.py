"""A stream of events over HTTP: `text/event-stream`, as browsers read it (HTML, "Server-sent events")."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from lead.events.v1.events_service_pb2 import SubscribeResponse
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.events import Stream
from gateway.transcode.problem import problem
from gateway.transcode.respond import to_json
from services.shared.errors import LeadError
from services.shared.rpc.status import internal
from services.shared.telemetry.log import described

CONTENT_TYPE = "text/event-stream"
END = "end"
"""Event that says that the stream is over and, with a problem as its data, why no other may follow."""

_log = logging.getLogger(__name__)
# How long a client should wait before it comes back, in milliseconds.
_RETRY = b"retry: 2000\n\n"
_PARTING_SECONDS = 2.0


class EventStream(Response):
    """An answer that goes on until its stream ends or its client leaves."""

    media_type = CONTENT_TYPE

    def __init__(self, stream: Stream, request_id: str) -> None:
        """Send this stream, and close it whatever happens."""
        # Proxies on the way must pass on each event as it comes.
        super().__init__(headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._stream, self._request_id = stream, request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send until the stream ends or the client leaves."""
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._stream.close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sink = _Sink(send)
        await sink.put(_RETRY)
        last = await self._sent(sink)
        # A client that takes nothing any more is not told that it is over.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PARTING_SECONDS):
                await sink.put(last)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, sink: _Sink) -> bytes:
        """Send the stream; returns what is said at its end."""
        try:
            await self._stream.run(sink)
        except LeadError as error:
            return _frame(END, problem(error, self._request_id).body)
        except OSError:
            # The client has gone.
            return b""
        except Exception as error:  # noqa: BLE001 - nothing of what went wrong may reach the caller
            _log.error("sse.unforeseen", extra={"request_id": self._request_id, **described(error)})
            return _frame(END, problem(internal(), self._request_id).body)
        return _frame(END, b"{}")


class _Sink:
    """Frames of one answer."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def render(self, answer: SubscribeResponse) -> bytes:
        cursor = answer.cursor
        if not answer.HasField("event"):
            # Without data it raises no event, but the client takes the id.
            return f": alive\nid: {cursor}\n\n".encode()
        answer.ClearField("cursor")
        return f"id: {cursor}\n".encode() + _frame(answer.event.type, to_json(answer))

    async def room(self) -> None:
        # The server waits here while the client is behind, and an empty part of a body is no bytes.
        await self._send({"type": "http.response.body", "body": b"", "more_body": True})

    async def put(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})


def _frame(kind: str, data: bytes) -> bytes:
    """Return an event; JSON in one line has no line ends that would end its data."""
    return f"event: {kind}\n".encode() + b"data: " + data + b"\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
