"""Calls areas with what the gateway found out about the caller: raw bytes there, raw bytes back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor

from services.shared.clock import Clock
from services.shared.errors import LeadError, unavailable
from services.shared.identity import TlsFiles
from services.shared.rpc import headers
from services.shared.rpc.aio import aio_channel, decode_error
from services.shared.rpc.headers import ADMITTED
from services.shared.rpc.status import DETAILS
from services.shared.sharing.assertion import AssertionSigner, Caller
from services.shared.telemetry import trace

LONGEST_SECONDS = 20.0
"""A revocation waits up to eight seconds for a hung enforcement point; everything else is far quicker."""

_STREAM_SECONDS = 3600.0
# An assertion lives 60 s; it is used for half of that, so that none arrives stale.
_SIGNED_FOR_SECONDS = 30.0
_SIGNED_KEPT = 4096


class Forwarder:
    """One channel per area. Belongs to the loop it is made in."""

    def __init__(self, addresses: Mapping[str, str], tls: TlsFiles, signer: AssertionSigner, clock: Clock) -> None:
        """`addresses` gives host:port by area."""
        self._channels = {area: aio_channel(address, tls, area) for area, address in addresses.items()}
        self._signer, self._clock = signer, clock
        self._signed: OrderedDict[tuple[Caller, str], tuple[str, float]] = OrderedDict()

    def serves(self, rpc: MethodDescriptor) -> bool:
        """Tell whether the method's area is there."""
        return area_of(rpc) in self._channels

    def channel(self, area: str) -> grpc.aio.Channel:
        """Return an area's channel, for the internal calls of the gateway itself."""
        return self._channels[area]

    async def call(self, rpc: MethodDescriptor, request: bytes, caller: Caller, request_id: str) -> bytes:
        """Return the area's answer. Raises LeadError, as the area meant it."""
        area = area_of(rpc)
        method: Any = self._channels[area].unary_unary(path_of(rpc), None, None)
        with trace.span(path_of(rpc)[1:], kind="client", attributes={"rpc.system": "grpc"}):
            beside = headers.outgoing(request_id, self._assertion(caller, area))
            try:
                answer: bytes = await method(request, timeout=LONGEST_SECONDS, metadata=beside)
            except grpc.aio.AioRpcError as error:
                raise decode_error(error) from None
        return answer

    async def stream(
        self, rpc: MethodDescriptor, requests: AsyncIterator[bytes], caller: Caller, request_id: str
    ) -> AsyncIterator[bytes]:
        """Yield the area's answers to a stream of requests. Raises LeadError, as the area meant it.

        What `requests` raises ends what is sent, and is raised here after the answers to all that was sent before.
        """
        area = area_of(rpc)
        method: Any = self._channels[area].stream_stream(path_of(rpc), None, None)
        beside = headers.outgoing(request_id, self._assertion(caller, area))
        sending = _Sending(requests)
        call = method(sending.after(lambda: call), timeout=_STREAM_SECONDS, metadata=beside)
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise _meant(error) from None
        finally:
            call.cancel()
        if sending.error is not None:
            raise sending.error

    async def close(self) -> None:
        """Close all channels."""
        for channel in self._channels.values():
            await channel.close()

    def _assertion(self, caller: Caller, area: str) -> str:
        now = self._clock.monotonic()
        known = self._signed.get((caller, area))
        if known is not None and now < known[1]:
            return known[0]
        token = self._signer.sign(caller, area)
        self._signed[caller, area] = (token, now + _SIGNED_FOR_SECONDS)
        if len(self._signed) > _SIGNED_KEPT:
            self._signed.popitem(last=False)
        return token


class _Sending:
    """Requests on their way to an area. gRPC would drop what they raise, and leave the call without an end."""

    def __init__(self, requests: AsyncIterator[bytes]) -> None:
        """Send these."""
        self._requests = requests
        self.error: Exception | None = None

    async def after(self, call: Callable[[], Any]) -> AsyncIterator[bytes]:
        """Yield the requests once the area has let the call in: a message that crosses its refusal would hide it."""
        if ADMITTED not in await call().initial_metadata():
            return
        try:
            async for one in self._requests:
                yield one
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again where answers are waited for
            self.error = error


def _meant(error: grpc.aio.AioRpcError) -> LeadError:
    if error.code() is grpc.StatusCode.INTERNAL and DETAILS not in error.trailing_metadata():
        # gRPC's own: the area ended the stream, or itself, while something was being sent to it.
        return unavailable("The stream broke. Send again what was not acknowledged.")
    return decode_error(error)


def area_of(rpc: MethodDescriptor) -> str:
    """Return the area that serves a method: the second word of its package, `lead.<area>.v1`."""
    return str(rpc.containing_service.file.package.split(".")[1])


def path_of(rpc: MethodDescriptor) -> str:
    """Return the method's path on the wire."""
    return f"/{rpc.containing_service.full_name}/{rpc.name}"
