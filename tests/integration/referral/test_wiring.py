"""The area as it is wired: real sealing, outbox and relay; and a whole process that binds its port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.message import Message
from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse, RegisteredAgency, StateScopeRequest
from lead.options.v1 import words_pb2
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service
from sqlalchemy import select

from services.referral import app
from services.referral.config import Config
from services.referral.models import CIPHER, METADATA, OUTBOX
from services.referral.servicer import ReferralServicer
from services.shared.area import Parts
from services.shared.db import make_engine, migrations
from services.shared.identity import DevelopmentCa, TlsFiles, create_signing_key
from services.shared.places import site_packs
from services.shared.rpc.caller import RequestInfo, acting
from tests.support.clock import FakeClock
from tests.support.parts import FakeConsent, fake_parts
from tests.unit.referral.builders import ORI, a_caller, a_draft, an_offer, from_rms

NOWHERE = Path("none")


def a_config(**changes: Any) -> Config:
    given: dict[str, Any] = {
        "address": "127.0.0.1:0",
        "database_url": "sqlite://",
        "tls": TlsFiles(NOWHERE, NOWHERE, NOWHERE),
        "assertion_key": NOWHERE,
    }
    return Config(**{**given, **changes})


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    CIPHER.load(b"k" * 32)
    made = fake_parts(tmp_path, "referral", METADATA)
    police = RegisteredAgency(agency_id="sample-police", kind=words_pb2.AGENCY_KIND_POLICE, oris=[ORI])
    outreach = RegisteredAgency(
        agency_id="sample-outreach", kind=words_pb2.AGENCY_KIND_CASE_MANAGEMENT, site_ids=["seattle"]
    )
    cast(FakeConsent, made.consent).agencies = ReadRegistryResponse(agencies=[police, outreach])
    yield made
    made.relay.stop()
    made.db.engine.dispose()


def call(parts: Parts, method: str, request: Message) -> Any:
    servicer = ReferralServicer(app.desk_of(parts, a_config(), b"s" * 32))
    with acting(a_caller(), RequestInfo("req_1", "gateway")):
        return getattr(servicer, method)(request, cast(Any, None))


def test_every_event_can_be_sealed_and_statements_go_before_it(parts: Parts) -> None:
    made = call(parts, "SubmitReferral", service.SubmitReferralRequest(referral=a_draft())).referral
    offered = call(parts, "RecordOffer", an_offer(made.id, made.etag)).referral
    call(parts, "WithdrawReferral", service.WithdrawReferralRequest(id=offered.id))
    parts.relay.flush(5.0)
    with parts.db.read() as connection:
        rows = connection.execute(select(OUTBOX).order_by(OUTBOX.c.id)).all()
    assert [row.kind for row in rows] == ["StateScope", "event", "event"] * 3
    assert all(row.sent_at is not None for row in rows)
    assert {row.subject_id for row in rows} == {made.reference.subject_id}
    sealed = b"".join(row.value for row in rows if row.kind == "event")
    for clear in (b"Testa", b"RCW", b"sample-police", b"HandoffRequested", made.id.encode()):
        assert clear not in sealed


def test_consent_has_the_statements_when_the_answer_goes_out(parts: Parts) -> None:
    call(parts, "SubmitReferral", service.SubmitReferralRequest(referral=a_draft()))
    bodies = [StateScopeRequest.FromString(body) for _, body in cast(FakeConsent, parts.consent).delivered]
    facts = Counter(statement.fact for body in bodies for statement in body.statements)
    assert sum(facts.values()) == 3


def test_a_pushed_stream_is_sealed_too(parts: Parts) -> None:
    records = [
        service.PushReferralsRequest(action=service.PUSH_ACTION_UPSERT, referral=from_rms(f"R-{number}"))
        for number in range(20)
    ]
    servicer = ReferralServicer(app.desk_of(parts, a_config(), b"s" * 32))
    with acting(a_caller("police_rms"), RequestInfo("req_1", "gateway")):
        answers = list(servicer.PushReferrals(iter(records), cast(Any, None)))
    assert {each.outcome for each in answers} == {service.PUSH_OUTCOME_CREATED}
    with parts.db.read() as connection:
        kinds = Counter(connection.execute(select(OUTBOX.c.kind)).scalars())
    assert kinds["event"] == 40


def test_a_chore_purges_what_has_had_its_time(parts: Parts) -> None:
    request = service.SubmitReferralRequest(referral=a_draft(), request_id="k1")
    made = call(parts, "SubmitReferral", request).referral
    cast(FakeClock, parts.clock).advance(31 * 24 * 3600)
    app.purge(parts)
    again = call(parts, "SubmitReferral", request).referral
    assert again.id != made.id
    assert isinstance(again, pb.Referral)


def test_the_process_binds_its_port_and_connects_to_nothing(tmp_path: Path) -> None:
    create_signing_key(tmp_path / "gateway.pem")
    (tmp_path / "area.key").write_bytes(b"k" * 32)
    url = f"sqlite:///{tmp_path / 'referral.db'}"
    engine = make_engine(url)
    migrations.upgrade("referral", engine)
    engine.dispose()
    built = app.build(
        a_config(
            database_url=url,
            tls=DevelopmentCa.create(tmp_path / "ca").files("referral"),
            assertion_key=tmp_path / "gateway.pub",
            consent_address="127.0.0.1:1",
            log_folder=tmp_path / "log",
            area_key=tmp_path / "area.key",
            sites_folder=site_packs(),
        )
    )
    assert built.port > 0
    built.process._server.stop(0)
