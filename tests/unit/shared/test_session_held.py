"""The shells that hold a session, and the client that remembers within it, against a consent that answers by script."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub

from services.shared.errors import Code, LeadError, unavailable
from services.shared.identity import DevelopmentCa
from services.shared.rpc.aio import aio_channel
from services.shared.rpc.client import channel
from services.shared.rpc.server import Server, build_server
from services.shared.sharing.assertion import Caller
from services.shared.sharing.client import ConsentClient
from services.shared.sharing.session import AioSession, Change, SessionState, SyncSession
from tests.support.clock import FakeClock

SERVICE = "lead.consent.v1.ConsentInternalService"
CALLER = Caller("acc_sample", "sample-cm", "case_management", "case_manager", "CAREMGT")


def change(epoch: int, *subjects: str, keys: tuple[bytes, ...] = (), everything: bool = False) -> Change:
    return Change(epoch, subjects, keys, everything)


def answered(state: SessionState, epoch: int = 0, *changes: Change) -> None:
    """Renew and take in consent's answer at once."""
    sequence, _ = state.renewal()
    state.received(epoch, changes, sequence)


class FakeConsent:
    """Answers renewals as consent does, and lets a test say what changed and wait for what was acknowledged."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.sessions: list[str] = []
        self.acknowledged: list[int] = []
        self.ended = 0
        self.breaks = 0
        self.asked = 0
        self._news = threading.Condition()

    def tell(self, *changes: Change) -> None:
        with self._news:
            self.changes.extend(changes)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(condition, timeout=60)

    def hold(
        self, requests: Iterator[consent.HoldSessionRequest], _: grpc.ServicerContext
    ) -> Iterator[consent.HoldSessionResponse]:
        for request in requests:
            with self._news:
                self.sessions.append(request.session_id)
                self.acknowledged.append(request.applied_epoch)
                self._news.notify_all()
                fresh = [one for one in self.changes if one.epoch > request.applied_epoch]
                epoch = max([request.applied_epoch, *(one.epoch for one in fresh)])
                if self.breaks:
                    self.breaks -= 1
                    raise unavailable("Try again.")
            told = [
                consent.HoldSessionResponse.Change(
                    epoch=one.epoch, subject_ids=one.subject_ids, key_ids=one.key_ids, everything=one.everything
                )
                for one in fresh
            ]
            yield consent.HoldSessionResponse(epoch=epoch, changes=told, sequence=request.sequence)
        with self._news:
            self.ended += 1
            self._news.notify_all()

    def registry(self, _: consent.ReadRegistryRequest, __: grpc.ServicerContext) -> consent.ReadRegistryResponse:
        self.asked += 1
        return consent.ReadRegistryResponse(epoch=max((one.epoch for one in self.changes), default=0))

    def granted(
        self, request: consent.ListGrantedSubjectsRequest, _: grpc.ServicerContext
    ) -> consent.ListGrantedSubjectsResponse:
        self.asked += 1
        epoch = max((one.epoch for one in self.changes), default=0)
        return consent.ListGrantedSubjectsResponse(subject_ids=[request.asker.agency_id], epoch=epoch)


def add_fake(fake: FakeConsent, server: grpc.Server) -> None:
    write: Any = lambda answer: answer.SerializeToString()  # noqa: E731 - three methods, one writer
    granted = consent.ListGrantedSubjectsRequest.FromString
    server.add_registered_method_handlers(
        SERVICE,
        {
            "HoldSession": grpc.stream_stream_rpc_method_handler(
                fake.hold, consent.HoldSessionRequest.FromString, write
            ),
            "ReadRegistry": grpc.unary_unary_rpc_method_handler(
                fake.registry, consent.ReadRegistryRequest.FromString, write
            ),
            "ListGrantedSubjects": grpc.unary_unary_rpc_method_handler(fake.granted, granted, write),
        },
    )


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    return DevelopmentCa.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def fake() -> FakeConsent:
    return FakeConsent()


@pytest.fixture
def server(ca: DevelopmentCa, fake: FakeConsent) -> Iterator[Server]:
    running = build_server([(add_fake, fake)], ca.files("consent"), None)
    running.start()
    yield running
    running.stop(0)


@contextmanager
def opened(ca: DevelopmentCa, server: Server) -> Iterator[grpc.Channel]:
    with channel(f"127.0.0.1:{server.port}", ca.files("review"), "consent") as found:
        yield found


def test_a_thread_holds_a_session_and_acknowledges_what_it_applied(
    ca: DevelopmentCa, fake: FakeConsent, server: Server
) -> None:
    state = SessionState(FakeClock())
    seen: list[int] = []
    state.on_change(lambda told: seen.append(told.epoch))
    with opened(ca, server) as found:
        session = SyncSession(ConsentInternalServiceStub(found), state, "ses_sample", every=0.01)
        session.start()
        fake.wait_for(lambda: len(fake.acknowledged) > 2)
        assert state.alive()
        fake.tell(change(1, "sub_a"), change(2, "sub_b", keys=(b"k",)))
        fake.wait_for(lambda: 2 in fake.acknowledged)
        assert seen == [1, 2]
        assert list(state.changed_keys(0)) == [b"k"]
        session.stop()
    assert not state.alive()
    assert set(fake.sessions) == {"ses_sample"}
    fake.wait_for(lambda: fake.ended == 1)


def test_a_broken_stream_is_opened_again_and_says_no_goodbye(
    ca: DevelopmentCa, fake: FakeConsent, server: Server
) -> None:
    fake.breaks = 2
    state = SessionState(FakeClock())
    with opened(ca, server) as found:
        session = SyncSession(ConsentInternalServiceStub(found), state, "ses_sample", every=0.01)
        session.start()
        fake.wait_for(lambda: len(fake.acknowledged) > 5)
        assert set(fake.sessions) == {"ses_sample"}
        assert fake.ended == 0
        session.stop()


def test_a_callback_that_fails_is_told_again_over_a_new_stream(
    ca: DevelopmentCa, fake: FakeConsent, server: Server
) -> None:
    state = SessionState(FakeClock())
    fails = [True, False]

    def callback(_: Change) -> None:
        if fails.pop(0):
            raise ValueError("Testa Sample")

    state.on_change(callback)
    fake.tell(change(1, "sub_a"))
    with opened(ca, server) as found:
        session = SyncSession(ConsentInternalServiceStub(found), state, "ses_sample", every=0.01)
        session.start()
        fake.wait_for(lambda: 1 in fake.acknowledged)
        assert fails == []
        session.stop()


def test_a_session_stops_while_consent_is_not_there(ca: DevelopmentCa, server: Server) -> None:
    server.stop(0)
    state = SessionState(FakeClock())
    with opened(ca, server) as found:
        session = SyncSession(ConsentInternalServiceStub(found), state, "ses_sample", every=0.01)
        session.start()
        session.stop()
    assert not state.alive()


def test_a_task_holds_a_session_and_acknowledges_what_it_applied(
    ca: DevelopmentCa, fake: FakeConsent, server: Server
) -> None:
    state = SessionState(FakeClock())
    seen: list[int] = []
    state.on_change(lambda told: seen.append(told.epoch))
    fake.breaks = 1

    async def story() -> None:
        async with aio_channel(f"127.0.0.1:{server.port}", ca.files("gateway"), "consent") as found:
            session = AioSession(ConsentInternalServiceStub(found), state, "ses_sample", every=0.01)
            session.start()
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.acknowledged) > 3)
            assert state.alive()
            assert fake.ended == 0
            fake.tell(change(1, "sub_a"))
            await asyncio.to_thread(fake.wait_for, lambda: 1 in fake.acknowledged)
            await session.stop()

    asyncio.run(story())
    assert seen == [1]
    assert not state.alive()
    fake.wait_for(lambda: fake.ended == 1)


def test_granted_subjects_are_asked_again_after_a_change_and_without_a_session(
    ca: DevelopmentCa, fake: FakeConsent, server: Server
) -> None:
    clock = FakeClock()
    state = SessionState(clock)
    with opened(ca, server) as found:
        client = ConsentClient(found, state, clock)
        assert client.granted_subjects(CALLER) == client.granted_subjects(CALLER) == {"sample-cm"}
        assert fake.asked == 2
        answered(state)
        client.granted_subjects(CALLER)
        client.granted_subjects(CALLER)
        assert fake.asked == 2
        fake.tell(change(1, "sub_a"))
        answered(state, 1, change(1, "sub_a"))
        client.granted_subjects(CALLER)
        client.granted_subjects(CALLER)
        assert fake.asked == 3
        clock.advance(61)
        answered(state, 1)
        client.granted_subjects(CALLER)
        assert fake.asked == 4


def test_the_registry_is_kept_per_epoch(ca: DevelopmentCa, fake: FakeConsent, server: Server) -> None:
    clock = FakeClock()
    state = SessionState(clock)
    answered(state)
    with opened(ca, server) as found:
        client = ConsentClient(found, state, clock)
        assert client.registry() is client.registry()
        fake.tell(change(1, everything=True))
        answered(state, 1, change(1, everything=True))
        client.registry()
        assert fake.asked == 2


def test_the_client_fails_closed_when_consent_does_not_answer(ca: DevelopmentCa, server: Server) -> None:
    server.stop(0)
    clock = FakeClock()
    with opened(ca, server) as found, pytest.raises(LeadError) as refused:
        ConsentClient(found, SessionState(clock), clock).granted_subjects(CALLER)
    assert refused.value.code is Code.UNAVAILABLE
