"""Tests stay on this machine."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.loopback import NotLoopbackError, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "192.0.2.1", "0.0.0.0", "2001:db8::1", "example.org", "localhost.example.org"])  # noqa: S104
def test_anything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"), (socket.AF_INET, "example.org")],
)
def test_a_connect_that_leaves_the_machine_is_refused(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as outgoing:
        with pytest.raises(NotLoopbackError):
            outgoing.connect((host, 443))
        with pytest.raises(NotLoopbackError):
            outgoing.connect_ex((host, 443))


def test_an_event_loop_is_held_to_it_too() -> None:
    async def leave() -> None:
        with socket.socket() as outgoing:
            outgoing.setblocking(False)
            await asyncio.get_running_loop().sock_connect(outgoing, ("192.0.2.1", 443))

    with pytest.raises(NotLoopbackError):
        asyncio.run(leave())


def test_a_connect_to_loopback_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
