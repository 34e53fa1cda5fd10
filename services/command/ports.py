"""Ports on this machine: which are free, and what to do about one that is not."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
# Below what systems lend to outgoing calls: a caller that looks for a stopped area could else be lent that area's port.
_OWN = range(20_000, 32_000)


class PortTaken(Exception):  # noqa: N818 - it is a state to mend, reported as it reads
    """Another program listens on a port that was asked for."""

    def __init__(self, port: int) -> None:
        """Say which port, and the way out."""
        super().__init__(f"Port {port} is in use by another program. Stop that one, or choose another with --port.")
        self.port = port


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a development exchange listens: the two public faces, and each area."""

    http: int
    grpc: int
    areas: dict[str, int]

    def address(self, area: str) -> str:
        """Return host:port of an area."""
        return f"{HOST}:{self.areas[area]}"


def choose(port: int, areas: Sequence[str]) -> Ports:
    """Return HTTP on `port`, gRPC on the next, areas on free ones; 0 lets all be free ones. Raises PortTaken."""
    for each in (port, port + 1) if port else ():
        if not is_free(each):
            raise PortTaken(each)
    found = _free(len(areas) + 2)
    http, grpc = (port, port + 1) if port else (found[0], found[1])
    return Ports(http, grpc, dict(zip(areas, found[2:], strict=True)))


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as listener:
        # As the servers do: connections that are only fading away are no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(1)
        except OSError:
            return False
        return True


def _free(count: int) -> list[int]:
    found: list[int] = []
    for port in random.SystemRandom().sample(_OWN, len(_OWN)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            break
    return found
