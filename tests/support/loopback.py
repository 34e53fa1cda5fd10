"""Keeps tests on this machine: a socket that would connect anywhere else is refused before it tries."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_INTERNET = (socket.AF_INET, socket.AF_INET6)


class NotLoopbackError(RuntimeError):
    """A test reached for another machine. No OSError, so that code which copes with a dead network does not hide it."""


def is_loopback(host: str) -> bool:
    """Tell whether the host is this machine: `localhost`, 127.0.0.0/8, ::1, or such an IPv4 address mapped to IPv6."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


@contextmanager
def only_loopback() -> Iterator[None]:
    """Refuse every IPv4 and IPv6 connect of Python's sockets that leaves the machine, by raising NotLoopbackError.

    Sockets made by C libraries (gRPC, libpq) do not pass here; what they connect to, tests name themselves.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in _INTERNET and not is_loopback(str(address[0])):
            raise NotLoopbackError("tests connect to loopback addresses only")
        return connect(self, address)

    return guarded
