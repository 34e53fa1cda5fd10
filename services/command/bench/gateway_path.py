"""The whole path through the gateway, against a proxy that only passes bytes on, in front of the same service."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jwt
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.bench.load import Beside, Load
from services.command.bench.memory import pss_mb
from services.command.bench.referrals import submitted
from services.command.bench.rounds import interleaved
from services.command.bench.row import Benchmark, Measured, Step
from services.command.bench.served import Served
from services.command.exchange import Exchange
from services.command.layout import GATEWAY
from services.command.ports import HOST
from services.shared.clock import SystemClock
from services.shared.identity import load_signing_key
from services.shared.ids import Ids
from services.shared.rpc.headers import ASSERTION, REQUEST_ID
from services.shared.sharing.assertion import AssertionSigner, Caller

_METHOD = "/lead.referral.v1.ReferralService/GetReferral"
_PROXY = "services.command.bench.passthrough"
_ROLE = "police_officer"
_ROUNDS = 9
_SECONDS = 2.0
# An area serves 32 calls at once and refuses more.
_IN_FLIGHT = 24
_REFERRALS = 16


def measure(step: Step, rounds: int = _ROUNDS, seconds: float = _SECONDS, in_flight: int = _IN_FLIGHT) -> Measured:
    """Return calls per second of both, and the gateway's memory. Raises StartFailed."""
    with tempfile.TemporaryDirectory(prefix="leadx-bench-") as folder, Exchange(Path(folder)) as exchange:
        memory: list[float] = []

        def ours() -> float:
            found = runner.run(through.per_second(in_flight, seconds))
            memory.append(pss_mb([exchange.pid(GATEWAY)]))
            return found

        with asyncio.Runner() as runner, _both(runner, exchange) as (through, past):
            for load in (through, past):
                runner.run(load.per_second(in_flight, seconds / 2))
            figures = interleaved(ours, lambda: runner.run(past.per_second(in_flight, seconds)), rounds, step)
    return Measured(*figures, max(memory))


@contextmanager
def _both(runner: asyncio.Runner, exchange: Exchange) -> Iterator[tuple[Load, Load]]:
    """Yield a client of the gateway and one of the proxy, once both have had the same answers."""
    token = exchange.token(_ROLE)
    ids = submitted(exchange, token, _REFERRALS)
    requests = [pb.GetReferralRequest(id=each).SerializeToString() for each in ids]

    async def opened(address: str, beside: Callable[[], Beside]) -> Load:
        return Load(address, exchange.ca_path, _METHOD, requests, beside)

    with Served(_PROXY, _arguments(exchange)) as proxy:
        through = runner.run(opened(exchange.grpc_target, lambda: (("authorization", f"Bearer {token}"),)))
        past = runner.run(opened(f"{HOST}:{proxy.port()}", _as_the_gateway(exchange, token)))
        try:
            for load in (through, past):
                _must_hold(runner.run(load.answers()), ids)
            yield through, past
        finally:
            for load in (through, past):
                runner.run(load.close())


def _arguments(exchange: Exchange) -> Sequence[str]:
    tls = exchange.layout.tls
    paths = (tls / "public.crt", tls / "public.key", tls / "ca.crt", tls / f"{GATEWAY}.crt", tls / f"{GATEWAY}.key")
    return (*map(str, paths), exchange.ports.address("referral"))


def _as_the_gateway(exchange: Exchange, token: str) -> Callable[[], Beside]:
    """Return what gives the assertion that the gateway would sign for the token's holder."""
    claims = jwt.decode(token, options={"verify_signature": False})
    caller = Caller(
        claims["sub"], claims["agency"], "police", _ROLE, "DIVERSION_COORD", ("seattle",), acr="development"
    )
    ids = Ids()
    signer = AssertionSigner(load_signing_key(exchange.layout.assertion_key), SystemClock(), ids)
    return lambda: ((ASSERTION, signer.sign(caller, "referral")), (REQUEST_ID, ids.new("req")))


def _must_hold(answers: Sequence[bytes], ids: Sequence[str]) -> None:
    if [pb.GetReferralResponse.FromString(each).referral.id for each in answers] != list(ids):
        raise RuntimeError("the answers are not the referrals that were asked for")


BENCHMARK = Benchmark(
    what="GetReferral through the gateway, against a raw grpc.aio pass-through before the same service",
    unit="1/s",
    steps=2 * _ROUNDS,
    measure=measure,
)
