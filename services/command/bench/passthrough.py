"""A proxy that does nothing: bytes in, bytes out, TLS outside and mTLS inside, like the gateway's.

    python -m services.command.bench.passthrough CERT KEY CA INSIDE_CERT INSIDE_KEY ADDRESS

ADDRESS is the referral service's. What travels beside a call goes on as it came. It prints its port once it answers,
and ends with its stdin.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from typing_extensions import override

from services.shared.identity import TlsFiles
from services.shared.rpc import options
from services.shared.rpc.aio import aio_channel

_SECONDS = 20.0


class _Through(grpc.GenericRpcHandler):
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel, self._handlers = channel, dict[str, Any]()

    @override
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = handler_call_details.method
        if method not in self._handlers:
            self._handlers[method] = grpc.unary_unary_rpc_method_handler(_behavior(self._channel, method))
        return self._handlers[method]


def _behavior(channel: grpc.aio.Channel, method: str) -> Callable[[bytes, Any], Awaitable[bytes]]:
    call: Any = channel.unary_unary(method, None, None)

    async def through(data: bytes, context: Any) -> bytes:
        beside = tuple(pair for pair in context.invocation_metadata() if pair[0].startswith("x-"))
        answer: bytes = await call(data, timeout=_SECONDS, metadata=beside)
        return answer

    return through


async def _serve(outside: grpc.ServerCredentials, inside: TlsFiles, address: str) -> None:
    server = grpc.aio.server(options=options.SERVER)
    server.add_generic_rpc_handlers((_Through(aio_channel(address, inside, "referral")),))
    port = server.add_secure_port("127.0.0.1:0", outside)
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def main(*arguments: str) -> None:
    """Serve until stdin ends."""
    cert, key, ca, inside_cert, inside_key, address = arguments
    outside = grpc.ssl_server_credentials([(Path(key).read_bytes(), Path(cert).read_bytes())])
    asyncio.run(_serve(outside, TlsFiles(Path(ca), Path(inside_cert), Path(inside_key)), address))


if __name__ == "__main__":
    main(*sys.argv[1:])
