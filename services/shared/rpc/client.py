"""The channel that one service calls another through. Generated stubs on it raise LeadError and need no care.

Every call gets a deadline (5 s, or what the call being served has left), the request id and the trace; calls that may
be sent twice are tried again when the peer is unavailable (options.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from typing_extensions import override

from services.shared.errors import LeadError
from services.shared.identity import TlsFiles, channel_credentials, service_host
from services.shared.ids import new_id
from services.shared.rpc import headers, limits, options, status
from services.shared.rpc.caller import current_request_id
from services.shared.telemetry import trace


def channel(address: str, tls: TlsFiles, service: str) -> grpc.Channel:
    """Open a channel to the area `service` at `host:port`; it connects with the first call.

    The peer's certificate must be that area's, whatever the address. Raises OSError for files that cannot be read.
    """
    settings = options.client(service, service_host(service))
    plain = grpc.secure_channel(address, channel_credentials(tls), options=settings)
    return grpc.intercept_channel(plain, _Beside())


def decoded(error: grpc.RpcError) -> LeadError:
    """Return what the peer meant."""
    return status.decode(error.code(), [(each.key, each.value) for each in error.trailing_metadata() or ()])


@dataclass(frozen=True)
class _Details(grpc.ClientCallDetails):
    method: str
    timeout: float | None
    metadata: Any
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _Answers:
    """A stream of answers whose end by error is a LeadError; everything else is as gRPC gives it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise decoded(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _Beside(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Puts beside a message what travels with it, and reads what an error means."""

    @override
    def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        """Make one call."""
        return _awaited(continuation, client_call_details, request)

    @override
    def intercept_stream_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request_iterator: Any
    ) -> Any:
        """Send a stream and wait for its one answer."""
        return _awaited(continuation, client_call_details, request_iterator)

    @override
    def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        """Open a stream of answers."""
        return _Answers(continuation(_prepared(client_call_details, client_call_details.timeout), request))

    @override
    def intercept_stream_stream(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request_iterator: Any
    ) -> Any:
        """Open a stream both ways."""
        return _Answers(continuation(_prepared(client_call_details, client_call_details.timeout), request_iterator))


def _awaited(continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: Any) -> Any:
    asked = options.DEFAULT_SECONDS if details.timeout is None else details.timeout
    with trace.span(details.method.removeprefix("/"), kind="client", attributes={"rpc.system": "grpc"}) as span:
        call = continuation(_prepared(details, limits.bounded(asked)), request)
        error = call.exception()
        if isinstance(error, grpc.RpcError):
            span.set_attribute("rpc.grpc.status_code", error.code().name)
            raise decoded(error)
        return call


def _prepared(details: grpc.ClientCallDetails, timeout: float | None) -> _Details:
    beside = headers.outgoing(current_request_id() or new_id("req"), more=details.metadata or ())
    return _Details(details.method, timeout, beside, details.credentials, details.wait_for_ready, details.compression)
