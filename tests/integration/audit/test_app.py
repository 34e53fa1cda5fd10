from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lead.audit.v1 import audit_internal_service_pb2 as internal
from lead.audit.v1 import audit_service_pb2 as pb
from lead.audit.v1.audit_internal_service_pb2_grpc import AuditInternalServiceStub
from lead.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.consent.v1 import consent_internal_service_pb2_grpc as consent_face

from services.audit.app import build
from services.audit.checkpoint import parse_and_verify
from services.audit.config import Config
from services.shared.area import Process
from services.shared.clock import SystemClock
from services.shared.db.revisions import SchemaNotCurrent
from services.shared.errors import Code, LeadError
from services.shared.identity import DevelopmentCa, create_signing_key, load_signing_key
from services.shared.ids import Ids
from services.shared.rpc import headers
from services.shared.rpc.client import channel
from services.shared.rpc.server import build_server
from services.shared.sharing.assertion import AssertionSigner, Caller
from tests.integration.audit.desk import (
    AREA_KEY,
    PARTICIPANT,
    SUBJECT,
    a_database,
    a_disclosure,
    an_access,
    the_participant,
)


class FakeConsent(consent_face.ConsentInternalServiceServicer):
    """Links one subject to one participant."""

    def ListGrantedSubjects(self, request: Any, _: object) -> Any:
        linked = [SUBJECT] if request.asker.participant_id == PARTICIPANT else []
        return consent.ListGrantedSubjectsResponse(subject_ids=linked)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    ca = DevelopmentCa.create(tmp_path / "ca")
    create_signing_key(tmp_path / "gateway.key")
    create_signing_key(tmp_path / "ledger.key")
    (tmp_path / "area.key").write_bytes(AREA_KEY)
    services = [(consent_face.add_ConsentInternalServiceServicer_to_server, FakeConsent())]  # type: ignore[abstract]
    peer = build_server(services, ca.files("consent"), None)
    peer.start()
    yield Config(
        address="127.0.0.1:0",
        database_url=f"sqlite:///{tmp_path / 'audit.db'}",
        tls=ca.files("audit"),
        assertion_key=tmp_path / "gateway.pub",
        consent_address=f"127.0.0.1:{peer.port}",
        area_key=tmp_path / "area.key",
        ledger_key=tmp_path / "ledger.key",
        witnesses=(tmp_path / "north",),
    )
    peer.stop(0)


@pytest.fixture
def process(config: Config, tmp_path: Path) -> Iterator[Process]:
    a_database(tmp_path).engine.dispose()
    process = build(config)
    process.start()
    yield process
    process.stop()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def asked(process: Process, tmp_path: Path, method: str, request: Any, caller: Caller) -> Any:
    signer = AssertionSigner(load_signing_key(tmp_path / "gateway.key"), SystemClock(), Ids())
    with channel(
        f"127.0.0.1:{process.port}", DevelopmentCa(tmp_path / "ca", SystemClock()).files("gateway"), "audit"
    ) as link:
        stub = getattr(AuditServiceStub(link), method)
        return stub(request, metadata=[(headers.ASSERTION, signer.sign(caller, "audit"))])


def appended(process: Process, tmp_path: Path, service: str, *drafts: internal.EntryDraft) -> list[int]:
    tls = DevelopmentCa(tmp_path / "ca", SystemClock()).files(service)
    with channel(f"127.0.0.1:{process.port}", tls, "audit") as link:
        request = internal.AppendEntriesRequest(entries=drafts)
        return list(AuditInternalServiceStub(link).AppendEntries(request).indices)


def test_an_entry_appended_by_the_gateway_is_accounted_for_signed_and_witnessed(
    process: Process, tmp_path: Path
) -> None:
    assert appended(process, tmp_path, "gateway", a_disclosure("a"), an_access("b")) == [0, 1]
    request = pb.ListDisclosuresRequest(participant_id=PARTICIPANT)
    [line] = asked(process, tmp_path, "ListDisclosures", request, the_participant()).disclosures
    assert (line.entry, line.reference.subject_id) == (0, SUBJECT)
    auditor = Caller("acc_a", "auditor-state", "auditor", "auditor", "AUDIT_EVAL")
    answer = asked(process, tmp_path, "GetCheckpoint", pb.GetCheckpointRequest(), auditor).checkpoint
    key = load_signing_key(tmp_path / "ledger.key").public_key()
    assert parse_and_verify(answer.note, key).size == answer.size == 2
    until((tmp_path / "north" / "checkpoint-2.note").exists)


def test_only_gateway_and_consent_may_append(process: Process, tmp_path: Path) -> None:
    assert appended(process, tmp_path, "consent", an_access("a")) == [0]
    with pytest.raises(LeadError) as refused:
        appended(process, tmp_path, "review", an_access("a"))
    assert refused.value.code is Code.PERMISSION_DENIED


def test_stopping_leaves_everything_signed(config: Config, tmp_path: Path) -> None:
    a_database(tmp_path).engine.dispose()
    process = build(config)
    process.start()
    appended(process, tmp_path, "gateway", *(an_access(f"{number}") for number in range(7)))
    process.stop()
    assert (tmp_path / "north" / "checkpoint-7.note").exists()


def test_audit_does_not_start_on_a_database_that_lacks_its_tables(config: Config) -> None:
    with pytest.raises(SchemaNotCurrent):
        build(config)


def test_audit_does_not_start_without_the_key_that_seals(config: Config, tmp_path: Path) -> None:
    a_database(tmp_path).engine.dispose()
    with pytest.raises(ValueError, match="area_key"):
        build(replace(config, area_key=None))
