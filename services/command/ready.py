"""Asks the processes of a development exchange whether they can do their work."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

from services.command.layout import AREAS, GATEWAY, Layout
from services.command.ports import HOST, Ports

if TYPE_CHECKING:
    import grpc

_ASK_SECONDS = 1.0


class Readiness:
    """Asks area by area over gRPC health, and the gateway over `/readyz`. Close it in the end."""

    def __init__(self, layout: Layout, ports: Ports) -> None:
        """Ask with the gateway's certificate."""
        from services.shared import identity

        self._layout, self._ports = layout, ports
        tls = identity.TlsFiles(layout.ca, layout.tls / f"{GATEWAY}.crt", layout.tls / f"{GATEWAY}.key")
        self._credentials = identity.channel_credentials(tls)
        self._channels: dict[str, grpc.Channel] = {}

    def ready(self, process: str) -> bool:
        """Tell whether an area or the gateway can do its work now."""
        return self._gateway() if process == GATEWAY else self._area(process)

    def waiting(self) -> list[str]:
        """Return who is not ready yet."""
        return [process for process in (*AREAS, GATEWAY) if not self.ready(process)]

    def close(self) -> None:
        """Close the connections."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def _area(self, area: str) -> bool:
        import grpc
        from grpc_health.v1 import health_pb2

        check = self._channel(area).unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=_ASK_SECONDS)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _channel(self, area: str) -> grpc.Channel:
        import grpc

        from services.shared.identity import service_host

        if area not in self._channels:
            options = [
                ("grpc.ssl_target_name_override", service_host(area)),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 200),
            ]
            self._channels[area] = grpc.secure_channel(self._ports.address(area), self._credentials, options)
        return self._channels[area]

    def _gateway(self) -> bool:
        context = ssl.create_default_context(cafile=str(self._layout.ca))
        link = http.client.HTTPSConnection(HOST, self._ports.http, timeout=_ASK_SECONDS, context=context)
        try:
            link.request("GET", "/readyz")
            return link.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()
