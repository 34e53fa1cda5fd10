from __future__ import annotations

import socket
from contextlib import closing

import pytest

from services.command import ports
from services.command.layout import AREAS


def _listener() -> socket.socket:
    listener = socket.create_server((ports.HOST, 0))
    listener.listen()
    return listener


def test_a_port_that_is_listened_on_is_refused_by_name() -> None:
    with closing(_listener()) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(ports.PortTaken, match=f"Port {taken} is in use"):
            ports.choose(taken, AREAS)


def test_the_port_beside_it_must_be_free_too() -> None:
    with closing(_listener()) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(ports.PortTaken) as refused:
            ports.choose(taken - 1, AREAS)
    assert refused.value.port in (taken - 1, taken)


def test_free_ports_differ_and_none_is_one_that_callers_are_lent() -> None:
    found = ports.choose(0, AREAS)
    numbers = [found.http, found.grpc, *found.areas.values()]
    assert len(set(numbers)) == len(AREAS) + 2
    assert max(numbers) < 32_000
    assert all(map(ports.is_free, numbers))
