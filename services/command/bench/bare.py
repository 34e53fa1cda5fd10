"""A process that does nothing of ours: imports what every process of the exchange does, and answers health over TLS.

    python -m services.command.bench.bare CERT KEY

It prints its port once it answers, and ends with its stdin.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import opentelemetry.sdk.trace  # noqa: F401 - it is there to be imported, as is the next
import sqlalchemy  # noqa: F401
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typing_extensions import override


class _Health(health_pb2_grpc.HealthServicer):
    @override
    def Check(self, request: health_pb2.HealthCheckRequest, context: object) -> health_pb2.HealthCheckResponse:
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


def main(cert: str, key: str) -> None:
    """Serve until stdin ends."""
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(_Health(), server)
    pair = (Path(key).read_bytes(), Path(cert).read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:3])
