"""A second gateway of the same exchange, whose line to consent can be cut while all its other lines stand."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from services.command import migrate, ports, toml
from services.command.exchange import Exchange
from services.command.install import database_url, write_private
from services.command.layout import GATEWAY
from tests.faults.waiting import until

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Second:
    """The other gateway, its HTTP address, and its line to consent."""

    url: str
    child: subprocess.Popen[bytes]
    line: Line

    def cut_off(self, how: str) -> None:
        """Take it away from consent.

        `closed`: its connections are reset, as when a machine between loses its state. `silent`: nothing passes, as
        when a cable is pulled. `stopped`: it does not run, as when its machine is suspended.
        """
        if how == "stopped":
            self.child.send_signal(signal.SIGSTOP)
        else:
            self.line.cut(how)

    def go_on(self) -> None:
        """Let it run again, if it was stopped."""
        self.child.send_signal(signal.SIGCONT)


@contextmanager
def second_gateway(exchange: Exchange) -> Iterator[Second]:
    """Yield another gateway, ready."""
    faces = ports.choose(0, ())
    with Line(exchange.ports.areas["consent"]) as line, _serving(exchange, faces, line.port) as child:
        second = Second(f"https://{ports.HOST}:{faces.http}", child, line)
        until(lambda: child.poll() is not None or _is_ready(exchange, second.url), "the second gateway is ready")
        yield second


@contextmanager
def _serving(exchange: Exchange, faces: ports.Ports, consent_port: int) -> Iterator[subprocess.Popen[bytes]]:
    layout, name = exchange.layout, "gateway-second"
    values = tomllib.loads(layout.config(GATEWAY).read_text())
    values |= {"http_port": faces.http, "grpc_port": faces.grpc, "database_url": database_url(layout.database(name))}
    values["areas"]["consent"] = f"{ports.HOST}:{consent_port}"
    write_private(layout.config(name), toml.dumps(values).encode())
    migrate.upgrade(GATEWAY, values["database_url"])
    with layout.log(name).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "services.command.main", "serve", GATEWAY, "--config", str(layout.config(name))],
            stdout=log,
            stderr=log,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(layout.metrics)},
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _is_ready(exchange: Exchange, url: str) -> bool:
    trust = ssl.create_default_context(cafile=str(exchange.ca_path))
    with contextlib.suppress(httpx.TransportError), httpx.Client(verify=trust, trust_env=False) as client:
        return client.get(f"{url}/readyz").status_code == 200
    return False


class Line:
    """A TCP line on this machine that can be cut."""

    def __init__(self, port: int) -> None:
        """Lead to `port`."""
        self._to = port
        self._listener = socket.create_server((ports.HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._ends: list[socket.socket] = []
        self._cut = ""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Line:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._cut = "closed"
        for each in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._ends):
            each.close()

    def cut(self, how: str) -> None:
        """Let nothing pass from now on; new connections neither."""
        self._cut = how
        for each in self._ends if how == "closed" else ():
            # With a reset, not a goodbye.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._cut:
                    self._ends.append(near)
                    continue
                far = socket.create_connection((ports.HOST, self._to))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    thread = threading.Thread(target=self._pass, args=(one, other), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(_CHUNK):
                if self._cut:
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
