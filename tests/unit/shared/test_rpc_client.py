"""What the channel adds to a call, and what it makes of an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from services.shared.errors import Code, LeadError, not_found, unavailable
from services.shared.identity import DevelopmentCa
from services.shared.rpc import headers, limits, options
from services.shared.rpc.aio import aio_channel, decode_error
from services.shared.rpc.caller import RequestInfo, acting, current_request
from services.shared.rpc.chain import Call, Method
from services.shared.rpc.client import channel
from services.shared.rpc.server import Server, build_server
from services.shared.telemetry import trace
from tests.support import rpc
from tests.support.rpc import INTERNAL, Probe, ProbeStub, adder

rpc.declare()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    return DevelopmentCa.create(tmp_path_factory.mktemp("ca"))


@contextmanager
def serving(ca: DevelopmentCa, probe: Probe) -> Iterator[Server]:
    server = build_server([(adder(INTERNAL), probe)], ca.files("referral"), None)
    server.start()
    try:
        yield server
    finally:
        server.stop(0)


@contextmanager
def asking(ca: DevelopmentCa, probe: Probe) -> Iterator[ProbeStub]:
    with serving(ca, probe) as server, connected(ca, server) as opened:
        yield ProbeStub(opened, INTERNAL)


def connected(ca: DevelopmentCa, server: Server) -> grpc.Channel:
    return channel(f"127.0.0.1:{server.port}", ca.files("review"), "referral")


def test_a_call_carries_the_request_id_of_the_request_being_served(ca: DevelopmentCa) -> None:
    with (
        asking(ca, Probe(lambda _: current_request().request_id)) as probe,
        acting(None, RequestInfo("req-5", "gateway")),
    ):
        assert probe.ask("") == "req-5"


def test_a_call_outside_of_a_request_gets_an_id_of_its_own(ca: DevelopmentCa) -> None:
    with asking(ca, Probe(lambda _: current_request().request_id)) as probe:
        assert probe.ask("").startswith("req_")


def test_a_call_goes_on_in_the_callers_trace(ca: DevelopmentCa) -> None:
    sent = trace.fresh_traceparent()
    seen: list[str] = []

    def ask(text: str) -> str:
        seen.append(trace.current_traceparent())
        return text

    with asking(ca, Probe(ask)) as probe, trace.span("outer", parent=trace.extract([("traceparent", sent)])):
        probe.ask("")
    assert seen[0].split("-")[1] == sent.split("-")[1]


def test_a_call_takes_no_longer_than_the_call_being_served() -> None:
    context: Any = type("Context", (), {"time_remaining": lambda _: 2.0})()
    method: Any = Method("probe", "Ask", None, streaming=False)  # type: ignore[arg-type]
    assert limits.bounded(5.0) == 5.0

    def serve() -> None:
        with limits.deadline(Call(method, context)):
            assert limits.bounded(5.0) <= 2.0
            assert limits.bounded(0.1) == 0.1

    copy_context().run(serve)


@pytest.mark.parametrize(("left", "code"), [(0.0049, Code.DEADLINE_EXCEEDED), (9.2e18, Code.INVALID_ARGUMENT)])
def test_a_call_with_no_deadline_or_too_little_left_is_refused(left: float, code: Code) -> None:
    context: Any = type("Context", (), {"time_remaining": lambda _: left})()
    method: Any = Method("probe", "Ask", None, streaming=False)  # type: ignore[arg-type]
    with pytest.raises(LeadError) as refused, limits.deadline(Call(method, context)):
        pass
    assert refused.value.code is code


def test_an_error_in_a_stream_is_a_lead_error(ca: DevelopmentCa) -> None:
    def watch(text: str) -> Iterator[str]:
        yield text
        raise not_found()

    with asking(ca, Probe(watch=watch)) as probe:
        answers = probe.watch("a")
        assert next(answers).value == "a"
        with pytest.raises(LeadError) as refused:
            next(answers)
    assert refused.value.code is Code.NOT_FOUND


def test_a_peer_that_is_not_there_is_unavailable(ca: DevelopmentCa) -> None:
    with serving(ca, Probe()) as server:
        address = f"127.0.0.1:{server.port}"
    with channel(address, ca.files("review"), "referral") as opened, pytest.raises(LeadError) as refused:
        ProbeStub(opened, INTERNAL).ask("a")
    assert refused.value.code is Code.UNAVAILABLE
    assert "127.0.0.1" not in refused.value.text


def test_only_methods_that_may_be_sent_twice_are_tried_again() -> None:
    config = json.loads(dict(options.client("consent", "consent.leadx.internal"))["grpc.service_config"])  # type: ignore[arg-type]
    retried = {name["method"] for name in config["methodConfig"][0]["name"]}
    assert {"Decide", "ReadRegistry", "StateScope", "LeaseSealingKeys", "ReleaseKeys"} <= retried
    assert "HoldSession" not in retried
    audit = json.loads(dict(options.client("audit", "audit.leadx.internal"))["grpc.service_config"])  # type: ignore[arg-type]
    assert "AppendEntries" not in json.dumps(audit)


def test_the_asyncio_channel_decodes_the_same_error(ca: DevelopmentCa) -> None:
    def ask(_: str) -> str:
        raise unavailable("Try again.")

    async def call(port: int) -> LeadError:
        async with aio_channel(f"127.0.0.1:{port}", ca.files("review"), "referral") as opened:
            stub: Any = opened.unary_unary(
                f"/{INTERNAL}/Ask",
                request_serializer=StringValue.SerializeToString,
                response_deserializer=StringValue.FromString,
            )
            try:
                await stub(StringValue(), timeout=5, metadata=headers.outgoing("req-1"))
            except grpc.aio.AioRpcError as error:
                return decode_error(error)
        raise AssertionError("answered")

    with serving(ca, Probe(ask)) as server:
        got = asyncio.run(call(server.port))
    assert (got.code, got.reason, got.text) == (Code.UNAVAILABLE, "UNAVAILABLE", "Try again.")


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "a\nb"])
def test_a_request_id_of_another_form_is_not_taken_over(given: str) -> None:
    assert headers.request_id([("x-request-id", given)]) == ""
    assert headers.request_id([("x-request-id", "ok-1"), ("x-request-id", "ok-1")]) == ""
