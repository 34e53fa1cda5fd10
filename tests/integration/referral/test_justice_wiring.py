"""Justice events as they are wired: really sealed, in the outbox, on subjects that nothing joins."""

from __future__ import annotations

from typing import Any, cast

from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse, RegisteredAgency
from lead.options.v1 import words_pb2
from sqlalchemy import select

from services.referral import app
from services.referral.models import OUTBOX
from services.referral.servicer import ReferralServicer
from services.shared.area import Parts
from services.shared.rpc.caller import RequestInfo, acting
from tests.integration.referral.test_wiring import a_config, parts
from tests.support.parts import FakeConsent
from tests.unit.referral.justice_builders import JAIL, a_deletion, a_reporter, a_request, an_event, at, outcomes

__all__ = ["parts"]


def report(parts: Parts, *drafts: Any, **request: Any) -> Any:
    servicer = ReferralServicer(app.desk_of(parts, a_config(), b"s" * 32))
    with acting(a_reporter(JAIL, "jail"), RequestInfo("req_1", "gateway")):
        return servicer.RecordJusticeEvents(a_request(*drafts, **request), cast(Any, None))


def test_events_and_declaration_are_sealed_and_say_nothing_in_clear(parts: Parts) -> None:
    jail = RegisteredAgency(agency_id=JAIL, kind=words_pb2.AGENCY_KIND_JAIL, site_ids=["seattle"])
    cast(FakeConsent, parts.consent).agencies = ReadRegistryResponse(agencies=[jail])
    drafts = [an_event("BOOKING", record_id=f"B-{number}") for number in range(210)]
    answer = report(parts, *drafts, a_deletion("B-7"), begin=at(-30), through=at(-1))
    assert outcomes(answer.results) == ["CREATED"] * 210 + ["WITHDRAWN"]
    with parts.db.read() as connection:
        rows = connection.execute(select(OUTBOX).order_by(OUTBOX.c.id)).all()
    assert [row.kind for row in rows] == ["event"] * 212
    # 210 events and the feed; the deletion is on its event's subject.
    assert len({row.subject_id for row in rows}) == 211
    sealed = b"".join(row.value + row.headers.encode() for row in rows)
    for clear in (b"Testa", b"L-77", b"seattle", b"sample-jail", b"JusticeEventReported", b"B-7"):
        assert clear not in sealed


def test_an_agency_of_no_site_may_report_all_the_same(parts: Parts) -> None:
    assert outcomes(report(parts, an_event("BOOKING")).results) == ["CREATED"]
