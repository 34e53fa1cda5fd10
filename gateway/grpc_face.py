"""The gRPC face: every public method by its name, raw bytes in and out. One handler for all, none per method."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from lead.events.v1.events_service_pb2 import SubscribeResponse

from gateway.door import Asked, Door
from gateway.events import EventService
from gateway.forward import path_of
from gateway.wire_check import strangers
from services.shared.errors import Code, LeadError, Violation, invalid
from services.shared.ids import Ids
from services.shared.rpc import headers
from services.shared.rpc.status import DETAILS, grpc_code, internal, to_status
from services.shared.telemetry import trace
from services.shared.telemetry.log import described

_log = logging.getLogger(__name__)
# Clients bound what trails an answer at 8 KiB unless they raise it.
_STATUS_BYTES = 6 * 1024
_HEALTH = "/grpc.health.v1.Health/Check"


class Face(grpc.GenericRpcHandler):
    """Finds the handler of a public method; anything else is UNIMPLEMENTED, as if it were not there."""

    def __init__(
        self, door: Door, methods: Sequence[MethodDescriptor], ids: Ids, events: EventService | None = None
    ) -> None:
        """Serve these methods; those of `events` only where it is there."""
        self._door, self._ids, self._events = door, ids, events
        self._methods: Mapping[str, MethodDescriptor] = {path_of(one): one for one in methods}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler of one call."""
        if handler_call_details.method == _HEALTH:
            return grpc.unary_unary_rpc_method_handler(_healthy)
        rpc = self._methods.get(handler_call_details.method)
        if rpc is not None and self._events is not None and self._events.serves(rpc):
            return grpc.unary_stream_rpc_method_handler(self._followed(rpc, self._events))
        if rpc is None or not self._door.forwarder.serves(rpc):
            return None
        if rpc.client_streaming and rpc.server_streaming:
            return grpc.stream_stream_rpc_method_handler(self._stream(rpc))
        return grpc.unary_unary_rpc_method_handler(self._unary(rpc))

    def _unary(self, rpc: MethodDescriptor) -> Any:
        async def handle(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            asked = self._asked(context)
            with trace.span(path_of(rpc)[1:], kind="server", attributes={"rpc.system": "grpc"}):
                try:
                    self._door.authenticator.identify(asked.authorization)
                    return await self._door.answer(rpc, _parsed(rpc, data), asked, _rendered)
                except Exception as error:  # noqa: BLE001 - everything becomes a public status
                    await _abort(context, error, asked.request_id)

        return handle

    def _stream(self, rpc: MethodDescriptor) -> Any:
        async def handle(
            data: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
        ) -> AsyncIterator[bytes]:
            asked = self._asked(context)

            async def requests() -> AsyncIterator[Message]:
                # A record that can be read is judged by its area, so that a wrong one does not end the others.
                async for one in data:
                    yield _read(rpc, one)

            try:
                async for message in self._door.stream(rpc, requests(), asked):
                    yield message.SerializeToString()
            except Exception as error:  # noqa: BLE001 - everything becomes a public status
                await _abort(context, error, asked.request_id)

        return handle

    def _followed(self, rpc: MethodDescriptor, events: EventService) -> Any:
        async def handle(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
            asked = self._asked(context)
            try:
                self._door.authenticator.identify(asked.authorization)
                stream = await events.open(rpc, _parsed(rpc, data), asked)
                await stream.run(_Sink(context))
            except Exception as error:  # noqa: BLE001 - everything becomes a public status
                await _abort(context, error, asked.request_id)

        return handle

    def _asked(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> Asked:
        beside: Any = context.invocation_metadata()
        return Asked(
            headers.only(beside, "authorization"),
            headers.only(beside, "x-role"),
            headers.only(beside, "x-purpose-of-use"),
            self._ids.new("req"),
        )


class _Sink:
    """Messages of one stream."""

    def __init__(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        self._context = context

    def render(self, answer: SubscribeResponse) -> bytes:
        return answer.SerializeToString()

    async def room(self) -> None:
        """gRPC holds a message back by itself while the client is behind, until it has handed it over."""

    async def put(self, data: bytes) -> None:
        await self._context.write(data)


def _rendered(message: Message) -> bytes:
    # Each class has its own method: the one of Message itself is a stub.
    return message.SerializeToString()


def _parsed(rpc: MethodDescriptor, data: bytes) -> Message:
    request = _read(rpc, data)
    wrong = strangers(request)
    if wrong:
        raise invalid(wrong)
    return request


def _read(rpc: MethodDescriptor, data: bytes) -> Message:
    request: Message = GetMessageClass(rpc.input_type)()
    try:
        request.ParseFromString(data)
    except DecodeError:
        raise invalid([Violation("", "a message of this method, with text in UTF-8")]) from None
    return request


async def _abort(context: grpc.aio.ServicerContext[bytes, bytes], error: Exception, request_id: str) -> NoReturn:
    if not isinstance(error, LeadError):
        _log.error("grpc.unforeseen", extra={"request_id": request_id, **described(error)})
        error = internal()
    status = to_status(error, request_id, _STATUS_BYTES)
    beside: list[tuple[str, str | bytes]] = [("x-request-id", request_id), (DETAILS, status.SerializeToString())]
    if error.code is Code.RESOURCE_EXHAUSTED:
        beside.append(("retry-after", "1"))
    await context.abort(grpc_code(error.code), error.text, tuple(beside))


async def _healthy(_: bytes, __: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING).SerializeToString()
