"""The chain around every method, on a real server with mTLS on loopback."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.x509 import DNSName
from cryptography.x509.oid import ExtendedKeyUsageOID
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.shared.clock import SystemClock
from services.shared.errors import Code, LeadError, Violation, invalid, not_found
from services.shared.identity import DevelopmentCa, TlsFiles, channel_credentials, create_signing_key
from services.shared.ids import Ids
from services.shared.labels import ContractError
from services.shared.rpc.caller import current_caller, current_request
from services.shared.rpc.client import channel
from services.shared.rpc.server import Server, build_server
from services.shared.sharing.assertion import AssertionSigner, AssertionVerifier, Caller
from tests.support import rpc
from tests.support.rpc import INTERNAL, PUBLIC, UNSAID, Probe, ProbeStub, adder

CALLER = Caller("acc_sample", "sample-police", "police", "police_officer", "DIVERSION_COORD", ("sample-site",))
CANARY = "Testa Sample"
Serve = Callable[..., Server]

rpc.declare()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    return DevelopmentCa.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def signer(ca: DevelopmentCa) -> AssertionSigner:
    return AssertionSigner(create_signing_key(ca.path.with_name("assertion.key")), SystemClock(), Ids())


@pytest.fixture
def serve(ca: DevelopmentCa) -> Iterator[Serve]:
    running: list[Server] = []

    def start(probe: Probe, service: str = PUBLIC, workers: int = 32, max_streams: int | None = None) -> Server:
        key = create_signing_key(ca.path.with_name("assertion.key")).public_key()
        verifier = AssertionVerifier(key, "referral", SystemClock())
        tls = ca.files("referral")
        server = build_server([(adder(service), probe)], tls, verifier, workers=workers, max_streams=max_streams)
        running.append(server)
        server.start()
        return server

    yield start
    for server in running:
        server.stop(0)


@pytest.fixture
def stub(ca: DevelopmentCa) -> Iterator[Callable[..., ProbeStub]]:
    opened: list[grpc.Channel] = []

    def connect(server: Server, peer: str = "gateway", service: str = PUBLIC) -> ProbeStub:
        opened.append(channel(f"127.0.0.1:{server.port}", ca.files(peer), "referral"))
        return ProbeStub(opened[-1], service)

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def signed(signer: AssertionSigner) -> tuple[tuple[str, str], ...]:
    return (("x-lead-assertion", signer.sign(CALLER, "referral")),)


def raising(error: Exception) -> Callable[[str], str]:
    def ask(_: str) -> str:
        raise error

    return ask


@contextmanager
def plain(server: Server, ca: DevelopmentCa) -> Iterator[ProbeStub]:
    """A channel without our interceptor: what any gRPC client would see."""
    name = (("grpc.ssl_target_name_override", "referral.leadx.internal"),)
    with grpc.secure_channel(f"127.0.0.1:{server.port}", channel_credentials(ca.files("gateway")), name) as opened:
        yield ProbeStub(opened)


Beside = tuple[tuple[str, str], ...]


def test_all_four_kinds_are_answered(serve: Serve, stub: Callable[..., ProbeStub], signed: Beside) -> None:
    probe = stub(serve(Probe()))
    assert probe.ask("a", metadata=signed) == "a"
    assert [each.value for each in probe.watch("b", metadata=signed)] == ["b", "b"]
    assert probe.upload("c", "d", metadata=signed) == "c d"
    assert probe.talk("e", "f", metadata=signed) == ["e", "f"]


def test_a_service_sees_the_verified_caller_and_the_request_id(
    serve: Serve, stub: Callable[..., ProbeStub], signed: Beside
) -> None:
    seen: list[object] = []

    def ask(text: str) -> str:
        seen.extend([current_caller(), current_request().service, current_request().request_id])
        return text

    stub(serve(Probe(ask))).ask("a", metadata=(*signed, ("x-request-id", "req-7")))
    assert seen == [CALLER, "gateway", "req-7"]


def test_a_stream_keeps_its_caller_to_its_end(serve: Serve, stub: Callable[..., ProbeStub], signed: Beside) -> None:
    def watch(_: str) -> Iterator[str]:
        for _number in range(3):
            yield current_caller().account_id

    probe = stub(serve(Probe(watch=watch)))
    assert [each.value for each in probe.watch("", metadata=signed)] == [CALLER.account_id] * 3


def test_a_public_call_without_assertion_is_unauthenticated(serve: Serve, stub: Callable[..., ProbeStub]) -> None:
    probe = stub(serve(Probe()))
    for call in (lambda: probe.ask("a"), lambda: list(probe.watch("a")), lambda: probe.upload("a")):
        with pytest.raises(LeadError) as refused:
            call()
        assert refused.value.code is Code.UNAUTHENTICATED


def test_two_assertions_are_none(serve: Serve, stub: Callable[..., ProbeStub], signed: Beside) -> None:
    with pytest.raises(LeadError) as refused:
        stub(serve(Probe())).ask("a", metadata=signed + signed)
    assert refused.value.code is Code.UNAUTHENTICATED


def test_an_assertion_for_another_area_is_unauthenticated(
    serve: Serve, stub: Callable[..., ProbeStub], signer: AssertionSigner
) -> None:
    with pytest.raises(LeadError) as refused:
        stub(serve(Probe())).ask("a", metadata=(("x-lead-assertion", signer.sign(CALLER, "review")),))
    assert refused.value.code is Code.UNAUTHENTICATED


def test_the_certificate_of_the_public_face_proves_no_service(serve: Serve, ca: DevelopmentCa, signed: Beside) -> None:
    tls = TlsFiles(ca.path, *ca.issue_public())
    with channel(f"127.0.0.1:{serve(Probe()).port}", tls, "referral") as opened, pytest.raises(LeadError) as refused:
        ProbeStub(opened).ask("a", metadata=signed)
    assert refused.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize(("service", "peer"), [(PUBLIC, "review"), (INTERNAL, "gateway"), (INTERNAL, "referral")])
def test_an_unlisted_service_is_refused(
    serve: Serve, stub: Callable[..., ProbeStub], signed: Beside, service: str, peer: str
) -> None:
    probe = stub(serve(Probe(), service), peer, service)
    for call in (lambda: probe.ask("a", metadata=signed), lambda: list(probe.watch("a", metadata=signed))):
        with pytest.raises(LeadError) as refused:
            call()
        assert (refused.value.code, refused.value.reason) == (Code.PERMISSION_DENIED, "SERVICE_NOT_LISTED")


def test_an_internal_method_has_no_caller_whatever_is_sent(
    serve: Serve, stub: Callable[..., ProbeStub], signed: Beside
) -> None:
    def ask(_: str) -> str:
        return current_caller().account_id

    with pytest.raises(LeadError) as refused:
        stub(serve(Probe(ask), INTERNAL), "review", INTERNAL).ask("a", metadata=signed)
    assert refused.value.code is Code.UNAUTHENTICATED


def test_a_certificate_of_another_authority_is_refused(
    serve: Serve, ca: DevelopmentCa, signed: Beside, tmp_path: Path
) -> None:
    stranger = DevelopmentCa.create(tmp_path).files("gateway")
    tls = replace(stranger, ca=ca.path)
    with channel(f"127.0.0.1:{serve(Probe()).port}", tls, "referral") as opened, pytest.raises(LeadError) as refused:
        ProbeStub(opened).ask("a", metadata=signed)
    assert refused.value.code is Code.UNAVAILABLE


def test_a_server_of_another_authority_is_not_believed(serve: Serve, ca: DevelopmentCa, tmp_path: Path) -> None:
    tls = replace(ca.files("gateway"), ca=DevelopmentCa.create(tmp_path).path)
    with channel(f"127.0.0.1:{serve(Probe()).port}", tls, "referral") as opened, pytest.raises(LeadError) as refused:
        ProbeStub(opened).ask("a")
    assert refused.value.code is Code.UNAVAILABLE


def test_a_server_that_is_another_area_is_not_believed(serve: Serve, ca: DevelopmentCa, signed: Beside) -> None:
    address = f"127.0.0.1:{serve(Probe()).port}"
    with channel(address, ca.files("gateway"), "consent") as opened, pytest.raises(LeadError) as refused:
        ProbeStub(opened).ask("a", metadata=signed)
    assert refused.value.code is Code.UNAVAILABLE


def test_a_certificate_that_names_no_service_is_unauthenticated(serve: Serve, ca: DevelopmentCa) -> None:
    key, cert = _anonymous(ca)
    credentials = channel_credentials(TlsFiles(ca.path, cert, key))
    name = (("grpc.ssl_target_name_override", "referral.leadx.internal"),)
    with grpc.secure_channel(f"127.0.0.1:{serve(Probe()).port}", credentials, name) as opened:
        with pytest.raises(grpc.RpcError) as refused:
            ProbeStub(opened).ask("a", timeout=5)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def _anonymous(ca: DevelopmentCa) -> tuple[Path, Path]:
    # A client certificate of the authority without a service URI.
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    cert, key = ca._issue("nobody", [DNSName("localhost")], usages)
    return key, cert


def test_a_lead_error_arrives_whole(serve: Serve, stub: Callable[..., ProbeStub], signed: Beside) -> None:
    sent = invalid([Violation("charges[2].statute", "is required"), Violation("door", "one of the three doors")])
    with pytest.raises(LeadError) as refused:
        stub(serve(Probe(raising(sent)))).ask("a", metadata=signed)
    got = refused.value
    assert (got.code, got.reason, got.text, got.violations) == (sent.code, sent.reason, sent.text, sent.violations)


def test_thousands_of_violations_arrive(serve: Serve, stub: Callable[..., ProbeStub], signed: Beside) -> None:
    sent = invalid(Violation(f"charges[{number}].statute", "is required") for number in range(3000))
    with pytest.raises(LeadError) as refused:
        stub(serve(Probe(raising(sent)))).ask("a", metadata=signed)
    assert refused.value.violations == sent.violations


def test_a_stream_that_fails_after_its_first_answer_tells_why(
    serve: Serve, stub: Callable[..., ProbeStub], signed: Beside
) -> None:
    def watch(_: str) -> Iterator[str]:
        yield "first"
        raise not_found()

    answers = stub(serve(Probe(watch=watch))).watch("", metadata=signed)
    assert next(answers).value == "first"
    with pytest.raises(LeadError) as refused:
        next(answers)
    assert refused.value.code is Code.NOT_FOUND


def test_what_an_uncaught_exception_says_reaches_nobody(
    serve: Serve, ca: DevelopmentCa, signed: Beside, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(Probe(raising(ValueError(CANARY))))
    with plain(server, ca) as probe, caplog.at_level(logging.DEBUG), pytest.raises(grpc.RpcError) as refused:
        probe.ask(CANARY, timeout=5, metadata=(*signed, ("x-request-id", "req-9")))
    error = refused.value
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert CANARY.encode() not in b"".join(_bytes(each.value) for each in error.trailing_metadata())
    record = next(each for each in caplog.records if each.msg == "rpc.unforeseen")
    assert vars(record)["request_id"] == "req-9"
    assert vars(record)["error_class"] == "ValueError"
    assert "test_rpc_server.py" in vars(record)["error_at"]
    assert CANARY not in caplog.text
    assert CANARY not in str([vars(each) for each in caplog.records])


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def test_an_uncaught_exception_carries_the_request_id_and_nothing_else(
    serve: Serve, ca: DevelopmentCa, signed: Beside
) -> None:
    server = serve(Probe(raising(KeyError(CANARY))))
    with plain(server, ca) as probe, pytest.raises(grpc.RpcError) as refused:
        probe.ask("a", timeout=5, metadata=(*signed, ("x-request-id", "req-9")))
    details = {each.key: each.value for each in refused.value.trailing_metadata()}["grpc-status-details-bin"]
    info, request = (status_pb2.Status.FromString(details).details[number] for number in (0, 1))
    found = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo()
    assert info.Unpack(found[0])
    assert request.Unpack(found[1])
    assert (found[0].reason, found[0].domain, found[1].request_id) == ("INTERNAL", "leadx", "req-9")


def test_a_message_that_cannot_be_read_is_the_callers_fault(serve: Serve, ca: DevelopmentCa, signed: Beside) -> None:
    address = f"127.0.0.1:{serve(Probe()).port}"
    with channel(address, ca.files("gateway"), "referral") as opened:
        raw: Any = opened.unary_unary(f"/{PUBLIC}/Ask")
        for sent in (b"\x0a\x02\xc3\x28", b"\x0a\xff", b"\xff"):
            with pytest.raises(LeadError) as refused:
                raw(sent, metadata=signed)
            assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "MALFORMED")


def test_a_call_without_deadline_is_refused_but_a_stream_may_lack_one(
    serve: Serve, ca: DevelopmentCa, signed: Beside
) -> None:
    server = serve(Probe())
    with plain(server, ca) as probe:
        with pytest.raises(grpc.RpcError) as refused:
            probe.ask("a", metadata=signed)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert len(list(probe.watch("a", metadata=signed))) == 2


def test_streams_beyond_the_limit_are_exhausted_and_short_calls_still_answered(
    serve: Serve, stub: Callable[..., ProbeStub], signed: Beside
) -> None:
    release = threading.Event()

    def watch(text: str) -> Iterator[str]:
        yield text
        release.wait(60)

    probe = stub(serve(Probe(watch=watch), workers=6))
    held = [probe.watch("held", metadata=signed) for _ in range(2)]
    assert [next(each).value for each in held] == ["held", "held"]
    with pytest.raises(LeadError) as refused:
        next(probe.watch("one too many", metadata=signed))
    assert refused.value.code is Code.RESOURCE_EXHAUSTED
    assert probe.ask("short", metadata=signed) == "short"
    release.set()
    assert [list(each) for each in held] == [[], []]
    assert len(list(probe.watch("again", metadata=signed))) == 1


def test_a_stream_that_its_client_leaves_gives_its_place_back(
    serve: Serve, stub: Callable[..., ProbeStub], signed: Beside
) -> None:
    closed = threading.Event()

    def watch(text: str) -> Iterator[str]:
        try:
            while True:
                yield text
        finally:
            closed.set()

    probe = stub(serve(Probe(watch=watch), max_streams=1))
    first = probe.watch("a", metadata=signed)
    next(first)
    first.cancel()
    assert closed.wait(60)


def test_a_method_without_access_keeps_its_service_from_starting(ca: DevelopmentCa) -> None:
    with pytest.raises(ContractError, match=r"UnsaidService/Ask says no access; .*UnsaidService/Talk"):
        build_server([(adder(UNSAID), Probe())], ca.files("referral"), None)


def test_public_methods_without_a_verifier_keep_their_service_from_starting(ca: DevelopmentCa) -> None:
    with pytest.raises(ContractError, match="no verifier"):
        build_server([(adder(PUBLIC), Probe())], ca.files("referral"), None)


def test_an_unknown_method_is_unimplemented(serve: Serve, ca: DevelopmentCa) -> None:
    with channel(f"127.0.0.1:{serve(Probe()).port}", ca.files("gateway"), "referral") as opened:
        nothing: Any = opened.unary_unary(f"/{PUBLIC}/Nothing")
        with pytest.raises(LeadError) as refused:
            nothing(b"")
        assert refused.value.code is Code.UNIMPLEMENTED


def test_health_tells_readiness_to_any_service(serve: Serve, ca: DevelopmentCa) -> None:
    server = serve(Probe())
    with channel(f"127.0.0.1:{server.port}", ca.files("anyone"), "referral") as opened:
        health: Any = health_pb2_grpc.HealthStub(opened)
        words = health_pb2.HealthCheckResponse
        assert health.Check(health_pb2.HealthCheckRequest()).status == words.SERVING
        server.set_ready(False)
        assert health.Check(health_pb2.HealthCheckRequest(service=PUBLIC)).status == words.NOT_SERVING
        with pytest.raises(LeadError):
            health.Check(health_pb2.HealthCheckRequest(service="nothing"))
