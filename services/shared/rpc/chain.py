"""Wraps every method of a server, of all four kinds, in the same steps, outermost first.

Messages are parsed and serialised inside, so that what cannot be read is answered like any other refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from lead.options.v1 import options_pb2

from services.shared.errors import Code, LeadError
from services.shared.rpc.headers import ADMITTED


@dataclass(frozen=True, slots=True)
class Method:
    """What is known of a method before anyone calls it."""

    service: str
    name: str
    access: options_pb2.Access
    streaming: bool


@dataclass(slots=True)
class Call:
    """One call while it is being served; `code` is what it will be answered with."""

    method: Method
    context: grpc.ServicerContext
    code: str = "OK"


Step = Callable[[Call], AbstractContextManager[None]]


def wrap(method: Method, handler: grpc.RpcMethodHandler[Any, Any], steps: Sequence[Step]) -> Any:
    """Return a handler of the same kind that runs inside the steps and speaks bytes to gRPC."""
    one, many = _one(method, handler, steps), _many(method, handler, steps)
    if handler.request_streaming:
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(many)
        return grpc.stream_unary_rpc_method_handler(one)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(many)
    return grpc.unary_unary_rpc_method_handler(one)


def _one(method: Method, handler: grpc.RpcMethodHandler[Any, Any], steps: Sequence[Step]) -> Callable[..., bytes]:
    behavior: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary
    write: Any = handler.response_serializer

    def serve(raw: Any, context: grpc.ServicerContext) -> bytes:
        with _entered(steps, Call(method, context)):
            answer: bytes = write(behavior(_request(handler, raw), context))
            return answer

    return serve


def _many(
    method: Method, handler: grpc.RpcMethodHandler[Any, Any], steps: Sequence[Step]
) -> Callable[..., Iterator[bytes]]:
    behavior: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream
    write: Any = handler.response_serializer

    def serve(raw: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        with _entered(steps, Call(method, context)):
            answers = behavior(_request(handler, raw), context)
            if handler.request_streaming:
                # A sender that waits for this knows a refusal from a connection that broke under its messages.
                context.send_initial_metadata(((ADMITTED, "1"),))
            for answer in answers:
                yield write(answer)

    return serve


def _entered(steps: Sequence[Step], call: Call) -> AbstractContextManager[object]:
    # gRPC runs each call in a context of its own, from the first step to the last answer of a stream, so what the
    # steps set is seen by this call alone.
    with ExitStack() as stack:
        for step in steps:
            stack.enter_context(step(call))
        return stack.pop_all()


def _request(handler: grpc.RpcMethodHandler[Any, Any], raw: Any) -> Any:
    read: Any = handler.request_deserializer
    if handler.request_streaming:
        return (_parsed(read, each) for each in raw)
    return _parsed(read, raw)


def _parsed(read: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return read(raw)
    except DecodeError:
        raise LeadError(Code.INVALID_ARGUMENT, "MALFORMED", "The message cannot be read.") from None
