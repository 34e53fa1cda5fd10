"""Consent as a process: real servers, certificates and sessions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lead.audit.v1 import audit_internal_service_pb2 as audit
from lead.audit.v1 import audit_internal_service_pb2_grpc as audit_face
from lead.audit.v1.audit_pb2 import ENTRY_KIND_REVOCATION
from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.consent.v1 import consent_service_pb2 as pb
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub
from lead.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sqlalchemy import select

from services.consent import history
from services.consent.app import build
from services.consent.config import Config
from services.consent.models import POLICIES
from services.shared.area import Process
from services.shared.clock import SystemClock
from services.shared.db import Database, make_engine
from services.shared.db.revisions import SchemaNotCurrent
from services.shared.errors import Code, LeadError
from services.shared.identity import DevelopmentCa, create_signing_key
from services.shared.ids import Ids
from services.shared.rpc import headers
from services.shared.rpc.client import channel
from services.shared.rpc.server import build_server
from services.shared.sharing.assertion import AssertionSigner, Caller
from services.shared.sharing.client import ConsentClient, Resolved
from services.shared.sharing.need import BITS
from services.shared.sharing.session import Change, SessionState, SyncSession
from tests.integration.consent.desk import a_config, a_database, a_question, a_statement
from tests.unit.consent.builders import PARTICIPANT, SUBJECT, a_draft
from tests.unit.consent.policy_asking import the_policy
from tests.unit.consent.test_convert import on_the_wire

SEED = """
[[agencies]]
slug = "outreach"
name = "Sample Outreach"
kind = "case_management"
part2_program = "no"
hipaa = "none"
sites = ["north"]

[[agencies]]
slug = "prosecutor"
name = "Sample Prosecutor"
kind = "prosecutor"
part2_program = "no"
hipaa = "none"
sites = ["north"]

[[agreements]]
id = "agr-1"
type = "PARTICIPATION"
agencies = ["outreach", "prosecutor"]
from = 2024-01-01T00:00:00Z
"""
AREAS = {"referral", "review", "casework", "provider", "outcomes"}
CASE_MANAGER = Caller("acc_case", "outreach", "case_management", "case_manager", "CAREMGT", ("north",))
QUESTION = a_question("prosecutor", "prosecutor", "DIVERSION_COORD")


class FakeLedger(audit_face.AuditInternalServiceServicer):
    """Takes entries and keeps them."""

    def __init__(self) -> None:
        self.entries: list[audit.EntryDraft] = []

    def AppendEntries(self, request: audit.AppendEntriesRequest, _: object) -> audit.AppendEntriesResponse:
        self.entries += request.entries
        return audit.AppendEntriesResponse(indices=range(len(request.entries)))


class House:
    """The files of one exchange, its ledger, and channels to consent as each service has them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.ca = DevelopmentCa.create(folder / "ca")
        self.signer = AssertionSigner(create_signing_key(folder / "gateway.key"), SystemClock(), Ids())
        (folder / "agencies.toml").write_text(SEED, encoding="utf-8")
        a_database(folder).engine.dispose()
        self.ledger = FakeLedger()
        services = [(audit_face.add_AuditInternalServiceServicer_to_server, self.ledger)]
        peer = build_server(services, self.ca.files("audit"), None)
        peer.start()
        stack.callback(peer.stop, 0)
        self.config = replace(
            a_config(folder),
            tls=self.ca.files("consent"),
            assertion_key=folder / "gateway.pub",
            audit_address=f"127.0.0.1:{peer.port}",
            registry_seed=folder / "agencies.toml",
        )

    def open(self, config: Config | None = None) -> Process:
        process = build(config or self.config)
        process.start()
        return process

    def internal(self, process: Process, service: str) -> ConsentInternalServiceStub:
        link = channel(f"127.0.0.1:{process.port}", self.ca.files(service), "consent")
        self._stack.callback(link.close)
        return ConsentInternalServiceStub(link)

    def ask(self, process: Process, method: str, request: Any, caller: Caller = CASE_MANAGER) -> Any:
        with channel(f"127.0.0.1:{process.port}", self.ca.files("gateway"), "consent") as link:
            beside = ((headers.ASSERTION, self.signer.sign(caller, "consent")),)
            return getattr(ConsentServiceStub(link), method)(request, metadata=beside, timeout=20)

    def on_the_caseload(self, process: Process) -> None:
        casework = self.internal(process, "casework")
        casework.LinkSubjects(
            internal.LinkSubjectsRequest(participant_id=PARTICIPANT, subject_ids=[SUBJECT], confirmed_by="acc_case")
        )
        said = a_statement("CASELOAD", "outreach", record=PARTICIPANT)
        casework.StateScope(internal.StateScopeRequest(statements=[said]))

    def release(self, process: Process) -> str:
        now = datetime.now(UTC)
        draft = a_draft(signed_at=now - timedelta(hours=1), expires_at=now + timedelta(days=1))
        request = pb.CreateConsentRequest(participant_id=PARTICIPANT, consent=on_the_wire(draft))
        answer: pb.CreateConsentResponse = self.ask(process, "CreateConsent", request)
        return answer.consent.id

    def revoke(self, process: Process, consent_id: str) -> pb.RevokeConsentResponse:
        answer: pb.RevokeConsentResponse = self.ask(process, "RevokeConsent", pb.RevokeConsentRequest(id=consent_id))
        return answer

    def allows(self, process: Process) -> bool:
        [decision] = self.internal(process, "gateway").Decide(QUESTION).decisions
        return bool(decision.visible & BITS["PROGRAM_STATUS"])

    def session(self, process: Process, seen: Callable[[Change], object] = lambda _: None) -> SyncSession:
        state = SessionState(SystemClock())

        def heard(told: Change) -> None:
            seen(told)

        state.on_change(heard)
        session = SyncSession(self.internal(process, "gateway"), state, Ids().new("ses"), every=0.1)
        session.start()
        until(state.alive)
        return session


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(tmp_path, stack)


@pytest.fixture
def process(house: House) -> Iterator[Process]:
    process = house.open()
    house.on_the_caseload(process)
    yield process
    process.stop()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def state_of(session: SyncSession) -> SessionState:
    return session._state


def test_a_release_is_given_decided_on_taken_back_and_told_to_the_ledger(house: House, process: Process) -> None:
    assert not house.allows(process)
    consent_id = house.release(process)
    assert house.allows(process)
    answer = house.revoke(process, consent_id)
    assert not house.allows(process)
    assert answer.effective_time.ToDatetime(UTC) <= datetime.now(UTC)
    until(lambda: any(one.kind == ENTRY_KIND_REVOCATION for one in house.ledger.entries))


@pytest.mark.parametrize(
    ("method", "request_", "services"),
    [
        ("Decide", QUESTION, {"gateway"}),
        ("ReadRegistry", internal.ReadRegistryRequest(), {"gateway", "audit", *AREAS}),
        ("StateScope", internal.StateScopeRequest(), AREAS),
        (
            "LinkSubjects",
            internal.LinkSubjectsRequest(participant_id=PARTICIPANT, confirmed_by="acc_case"),
            {"casework"},
        ),
        ("ListGrantedSubjects", internal.ListGrantedSubjectsRequest(), {"audit", *AREAS}),
        ("ResolveParticipant", internal.ResolveParticipantRequest(), {"provider"}),
        ("ListFollowers", internal.ListFollowersRequest(), {"gateway"}),
        ("LeaseSealingKeys", internal.LeaseSealingKeysRequest(), AREAS),
        ("ReleaseKeys", internal.ReleaseKeysRequest(), {"gateway", *AREAS}),
    ],
)
def test_each_question_is_answered_to_the_services_that_may_ask_it(
    house: House, process: Process, method: str, request_: Any, services: set[str]
) -> None:
    answered = set()
    for service in ("gateway", "audit", "consent", *sorted(AREAS)):
        try:
            getattr(house.internal(process, service), method)(request_)
        except LeadError as error:
            assert error.code is Code.PERMISSION_DENIED  # noqa: PT017 - most of them are refused, some are not
        else:
            answered.add(service)
    assert answered == services


def test_an_area_resolves_a_participant_and_remembers_only_that_he_is_there(house: House) -> None:
    process = house.open()
    try:
        state = SessionState(SystemClock())
        with channel(f"127.0.0.1:{process.port}", house.ca.files("provider"), "consent") as link:
            client = ConsentClient(link, state, SystemClock())
            session = SyncSession(ConsentInternalServiceStub(link), state, Ids().new("ses"), every=0.1)
            session.start()
            until(state.alive)
            assert client.resolve_participant(CASE_MANAGER, PARTICIPANT) is None
            house.on_the_caseload(process)
            # At once: that there was nobody is not kept.
            assert client.resolve_participant(CASE_MANAGER, PARTICIPANT) == Resolved(SUBJECT, "outreach")
            assert client.resolve_participant(CASE_MANAGER, "par_unknown") is None
            other = replace(CASE_MANAGER, agency_id="prosecutor")
            assert client.resolve_participant(other, PARTICIPANT) is None
            ended = a_statement("CASELOAD", "outreach", record=PARTICIPANT, version=2, closed=True)
            statements = internal.StateScopeRequest(statements=[ended])
            house.internal(process, "casework").StateScope(statements)
            assert client.resolve_participant(CASE_MANAGER, PARTICIPANT) is None
            session.stop()
    finally:
        process.stop()


def test_the_matrix_that_decides_is_kept_for_later_replays(house: House) -> None:
    house.open().stop()
    house.open().stop()
    database = Database(make_engine(house.config.database_url))
    with database.read() as connection:
        [row] = connection.execute(select(POLICIES)).all()
        kept = history.policy(connection, row.version)
    database.engine.dispose()
    assert kept is not None
    assert (kept.text, kept.version) == (the_policy().text, the_policy().version)


def test_a_public_call_needs_the_gateway_and_its_assertion(house: House, process: Process) -> None:
    mine, foreign = (house.signer.sign(CASE_MANAGER, area) for area in ("consent", "review"))
    for service, assertion, code in (
        ("gateway", "", Code.UNAUTHENTICATED),
        ("gateway", "nonsense", Code.UNAUTHENTICATED),
        ("gateway", foreign, Code.UNAUTHENTICATED),
        ("review", mine, Code.PERMISSION_DENIED),
    ):
        with channel(f"127.0.0.1:{process.port}", house.ca.files(service), "consent") as link:
            with pytest.raises(LeadError) as refused:
                ConsentServiceStub(link).GetMe(pb.GetMeRequest(), metadata=((headers.ASSERTION, assertion),))
            assert refused.value.code is code


def test_a_session_hears_of_a_revocation_before_it_is_answered(house: House, process: Process) -> None:
    consent_id = house.release(process)
    heard: list[Change] = []
    session = house.session(process, heard.append)
    epoch = state_of(session).epoch()
    house.revoke(process, consent_id)
    assert state_of(session).changed_subjects(epoch, [SUBJECT])
    assert [one.subject_ids for one in heard if one.epoch > epoch] == [(SUBJECT,)]
    session.stop()


def test_a_session_that_said_goodbye_is_not_waited_for(house: House, process: Process) -> None:
    consent_id = house.release(process)
    session = house.session(process)
    session.stop()
    # Sooner than any session dies.
    with channel(f"127.0.0.1:{process.port}", house.ca.files("gateway"), "consent") as link:
        beside = ((headers.ASSERTION, house.signer.sign(CASE_MANAGER, "consent")),)
        ConsentServiceStub(link).RevokeConsent(pb.RevokeConsentRequest(id=consent_id), metadata=beside, timeout=4)


@pytest.mark.slow
def test_a_hung_enforcement_point_is_dead_when_the_revocation_is_answered(house: House, process: Process) -> None:
    consent_id = house.release(process)
    hangs, wakes = threading.Event(), threading.Event()
    session = house.session(process, lambda _: hangs.is_set() and wakes.wait(60))
    hangs.set()
    assert state_of(session).alive()
    house.revoke(process, consent_id)
    assert not state_of(session).alive()
    wakes.set()
    session.stop()


@pytest.mark.slow
def test_an_enforcement_point_that_was_cut_off_is_dead_when_the_revocation_is_answered(
    house: House, process: Process
) -> None:
    """A stream that broke says nothing about what its other end still uses."""
    consent_id = house.release(process)
    state = SessionState(SystemClock())
    renewals = ConstantRenewals(state)
    call = house.internal(process, "gateway").HoldSession(iter(renewals))
    answer = next(call)
    state.received(answer.epoch, answer.changes, answer.sequence)
    assert state.alive()
    call.cancel()
    house.revoke(process, consent_id)
    assert not state.alive()
    renewals.stop()


class ConstantRenewals:
    """One renewal, and then a stream that stays open."""

    def __init__(self, state: SessionState) -> None:
        self._state, self._stopping = state, threading.Event()

    def __iter__(self) -> Iterator[internal.HoldSessionRequest]:
        sequence, applied = self._state.renewal()
        yield internal.HoldSessionRequest(session_id="ses_cut", applied_epoch=applied, sequence=sequence)
        self._stopping.wait(60)

    def stop(self) -> None:
        self._stopping.set()


def test_nothing_that_was_taken_back_comes_again_with_a_restart(house: House) -> None:
    first = house.open()
    house.on_the_caseload(first)
    kept, taken_back = house.release(first), house.release(first)
    house.revoke(first, taken_back)
    first.stop()
    second = house.open()
    try:
        assert house.allows(second)
        house.revoke(second, kept)
        assert not house.allows(second)
    finally:
        second.stop()


def test_keys_are_the_same_after_a_restart(house: House) -> None:
    def leased(process: Process) -> Sequence[bytes]:
        need = internal.SealingNeed(subject_id=SUBJECT, source_agency_id="police")
        answer = house.internal(process, "referral").LeaseSealingKeys(internal.LeaseSealingKeysRequest(needs=[need]))
        [lease] = answer.leases
        return lease.pseudonym, lease.routing.key_id, lease.routing.key

    first = house.open()
    before = leased(first)
    first.stop()
    second = house.open()
    after = leased(second)
    second.stop()
    assert before == after


def test_consent_does_not_start_on_a_database_that_lacks_its_tables(house: House) -> None:
    with pytest.raises(SchemaNotCurrent):
        build(replace(house.config, database_url=f"sqlite:///{house.folder / 'empty.db'}"))


def test_a_seed_that_is_wrong_keeps_consent_from_starting(house: House) -> None:
    (house.folder / "agencies.toml").write_text(SEED.replace("prosecutor", "prosecuter"), encoding="utf-8")
    with pytest.raises(ValueError, match="kind"):
        build(house.config)


def test_a_seed_is_told_as_a_change_once(house: House) -> None:
    first = house.open()
    before = house.internal(first, "gateway").ReadRegistry(internal.ReadRegistryRequest())
    first.stop()
    second = house.open()
    after = house.internal(second, "gateway").ReadRegistry(internal.ReadRegistryRequest())
    second.stop()
    assert (before, before.epoch) == (after, 1)
    assert {one.agency_id for one in after.agencies} == {"outreach", "prosecutor"}


def test_an_unknown_method_is_unimplemented(house: House, process: Process) -> None:
    with channel(f"127.0.0.1:{process.port}", house.ca.files("gateway"), "consent") as link:
        call: Any = link.unary_unary("/lead.consent.v1.ConsentInternalService/Grant", None, None)
        with pytest.raises(LeadError) as refused:
            call(b"", timeout=5)
    assert refused.value.code is Code.UNIMPLEMENTED
