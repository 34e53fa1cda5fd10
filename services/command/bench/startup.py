"""From the start of the exchange until every process is ready, against as many bare processes that serve health."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from services.command.bench.memory import pss_mb
from services.command.bench.rounds import interleaved
from services.command.bench.row import Benchmark, Measured, Step
from services.command.bench.served import Served
from services.command.exchange import Exchange
from services.command.layout import PROCESSES, Layout
from services.command.ports import HOST

_ROUNDS = 3
# After its start an exchange still warms up; what it weighs is weighed when that is over.
_IDLE_SECONDS = 2.0
_CHECK_SECONDS = 10.0
_CHECK = "/grpc.health.v1.Health/Check"
_BARE = "services.command.bench.bare"


def measure(step: Step, rounds: int = _ROUNDS, idle_seconds: float = _IDLE_SECONDS) -> Measured:
    """Return the seconds of both, and the summed memory of the idle exchange. Raises StartFailed."""
    memory: list[float] = []

    def ours() -> float:
        begun = time.perf_counter()
        with Exchange(data) as exchange:
            spent = time.perf_counter() - begun
            time.sleep(idle_seconds)
            memory.append(pss_mb(map(exchange.pid, PROCESSES)))
        return spent

    with _prepared() as data:
        seconds = interleaved(ours, lambda: _bare(Layout.at(data)), rounds, step)
    return Measured(*seconds, max(memory))


@contextlib.contextmanager
def _prepared() -> Iterator[Path]:
    """Make a data folder whose keys and tables are there, as on any start but the first."""
    with tempfile.TemporaryDirectory(prefix="leadx-bench-") as folder:
        data = Path(folder)
        with Exchange(data):
            pass
        yield data


def _bare(layout: Layout) -> float:
    cert, key = layout.tls / "public.crt", layout.tls / "public.key"
    begun = time.perf_counter()
    with contextlib.ExitStack() as running:
        servers = [running.enter_context(Served(_BARE, (str(cert), str(key)))) for _ in PROCESSES]
        for server in servers:
            _check(server.port(), layout.ca)
        return time.perf_counter() - begun


def _check(port: int, ca: Path) -> None:
    with grpc.secure_channel(f"{HOST}:{port}", grpc.ssl_channel_credentials(ca.read_bytes())) as channel:
        check: Callable[..., bytes] = channel.unary_unary(_CHECK)
        check(health_pb2.HealthCheckRequest().SerializeToString(), timeout=_CHECK_SECONDS)


BENCHMARK = Benchmark(
    what="start until all processes are ready, against as many bare ones that import the same (less is better)",
    unit="s",
    steps=2 * _ROUNDS,
    measure=measure,
)
