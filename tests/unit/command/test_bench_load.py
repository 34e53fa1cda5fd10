from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from services.command.bench.load import Beside, Load
from services.command.bench.served import Served
from services.command.bench.startup import _check
from services.shared.identity import DevelopmentCa, server_credentials

METHOD = "/lead.referral.v1.ReferralService/GetReferral"


@asynccontextmanager
async def an_area(authority: DevelopmentCa, **behaviour: Any) -> AsyncIterator[str]:
    """A raw `referral` behind mTLS that answers with what came, and with the names of what came beside it."""

    class Echo(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            async def answer(data: bytes, context: Any) -> bytes:
                if behaviour:
                    await context.abort(grpc.StatusCode.NOT_FOUND, "none")
                names = sorted(key for key, _ in context.invocation_metadata() if key.startswith(("x-", "auth")))
                return data + b"|" + ",".join(names).encode()

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_secure_port("127.0.0.1:0", server_credentials(authority.files("referral")))
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def proxy_before(authority: DevelopmentCa, address: str) -> Served:
    cert, key = authority.issue_public()
    inside = authority.files("gateway")
    paths = (cert, key, inside.ca, inside.cert, inside.key)
    return Served("services.command.bench.passthrough", (*map(str, paths), address))


async def through_a_proxy(folder: Path, beside: Beside, seconds: float, **behaviour: Any) -> tuple[list[bytes], float]:
    authority = DevelopmentCa.create(folder)
    async with an_area(authority, **behaviour) as address:
        with proxy_before(authority, address) as proxy:
            port = await asyncio.to_thread(proxy.port)
            load = Load(f"127.0.0.1:{port}", authority.path, METHOD, [b"one", b"two"], lambda: beside)
            try:
                return await load.answers(), await load.per_second(4, seconds)
            finally:
                await load.close()


@pytest.mark.slow
def test_the_proxy_passes_on_bytes_and_what_is_for_the_area(tmp_path: Path) -> None:
    beside = (("authorization", "Bearer t"), ("x-lead-assertion", "a"), ("x-request-id", "req_1"))
    answers, per_second = asyncio.run(through_a_proxy(tmp_path, beside, 0.05))
    assert answers == [b"one|x-lead-assertion,x-request-id", b"two|x-lead-assertion,x-request-id"]
    assert per_second > 0


@pytest.mark.slow
def test_a_failed_call_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        asyncio.run(through_a_proxy(tmp_path, (), 0.05, fails=True))


@pytest.mark.slow
def test_a_bare_process_answers_health_over_tls_and_ends_with_its_stdin(tmp_path: Path) -> None:
    authority = DevelopmentCa.create(tmp_path)
    cert, key = authority.issue_public()
    with Served("services.command.bench.bare", (str(cert), str(key))) as bare:
        _check(bare.port(), authority.path)
    assert bare._process.returncode == 0


def test_a_server_that_does_not_start_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing")
    with Served("services.command.bench.bare", (missing, missing)) as bare, pytest.raises(RuntimeError, match="start"):
        bare.port()
    assert "FileNotFoundError" in capfd.readouterr().err
