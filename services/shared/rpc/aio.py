"""The asyncio side, for the gateway alone: the same settings, headers and errors as client.py."""

from __future__ import annotations

import grpc
import grpc.aio

from services.shared.errors import LeadError
from services.shared.identity import TlsFiles, channel_credentials, service_host
from services.shared.rpc import options, status


def aio_channel(address: str, tls: TlsFiles, service: str) -> grpc.aio.Channel:
    """Open a channel to the area `service` at `host:port`, from inside the running loop.

    Callers give each call its timeout and `headers.outgoing(...)` as metadata. Raises OSError for unreadable files.
    """
    settings = options.client(service, service_host(service))
    return grpc.aio.secure_channel(address, channel_credentials(tls), options=settings)


def decode_error(error: grpc.aio.AioRpcError) -> LeadError:
    """Return what the peer meant."""
    return status.decode(error.code(), error.trailing_metadata())
