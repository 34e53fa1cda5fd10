from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.shared.errors import Code, LeadError, invalid
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import a_caller, from_rms

Record = service.PushReferralsRequest


def upsert(record_id: str, version: int = 1, **changes: object) -> Record:
    draft = from_rms(record_id, version, **changes)
    return Record(record_key=f"{record_id}/{version}", action=service.PUSH_ACTION_UPSERT, referral=draft)


def remove(record_id: str, version: int = 0) -> Record:
    source = pb.Source(system="sample-rms", record_id=record_id)
    if version:
        source.version = version
    return Record(
        record_key=f"-{record_id}", action=service.PUSH_ACTION_DELETE, referral=pb.ReferralDraft(source=source)
    )


def outcomes(answers: list[service.PushReferralsResponse]) -> list[str]:
    return [service.PushOutcome.Name(each.outcome).removeprefix("PUSH_OUTCOME_") for each in answers]


STORY = [
    upsert("A"),
    upsert("B"),
    upsert("A"),
    upsert("A", 2, narrative="Corrected."),
    upsert("A", 1),
    upsert("A", 2, narrative="Another body."),
    upsert("C", site_id="nowhere"),
    remove("B"),
    remove("never-sent"),
    upsert("D"),
]
TOLD = [
    "CREATED",
    "CREATED",
    "UNCHANGED",
    "REPLACED",
    "STALE",
    "REJECTED",
    "REJECTED",
    "WITHDRAWN",
    "REJECTED",
    "CREATED",
]


def test_each_record_is_acknowledged_in_order_and_a_bad_one_stops_nothing(exchange: Exchange) -> None:
    answers = exchange.push(STORY)
    assert outcomes(answers) == TOLD
    assert [each.record_key for each in answers] == [each.record_key for each in STORY]
    assert answers[0].referral_id == answers[2].referral_id == answers[3].referral_id
    reused, wrong, unknown = (answers[place].violations[0] for place in (5, 6, 8))
    assert (reused.path, wrong.path, unknown.path) == ("source.version", "siteId", "source.recordId")
    assert reused.wish.startswith("VERSION_REUSED")
    states = {each.source.record_id: each.state for each in exchange.list_all(a_caller("police_rms"))}
    assert states == {
        "A": pb.REFERRAL_STATE_SUBMITTED,
        "B": pb.REFERRAL_STATE_WITHDRAWN,
        "D": pb.REFERRAL_STATE_SUBMITTED,
    }


def test_the_same_stream_again_creates_nothing(exchange: Exchange) -> None:
    exchange.push(STORY)
    said = len(exchange.edge.facts)
    again = outcomes(exchange.push(STORY))
    assert not {"CREATED", "REPLACED", "WITHDRAWN"} & set(again)
    assert len(exchange.edge.facts) == said


def test_each_change_is_one_event(exchange: Exchange) -> None:
    exchange.push(STORY)
    names = [each.message.DESCRIPTOR.name for each in exchange.edge.facts]
    assert sorted(names) == ["ReferralRecorded"] * 4 + ["ReferralWithdrawn"]


def test_records_that_arrive_together_are_stored_together(exchange: Exchange) -> None:
    assert set(outcomes(exchange.push(upsert(f"R-{n}") for n in range(300)))) == {"CREATED"}
    assert exchange.edge.commits < 150
    assert len(exchange.edge.facts) == 300


def test_an_acknowledgement_comes_only_when_the_record_is_durable(exchange: Exchange) -> None:
    exchange.edge.is_away = True
    with pytest.raises(LeadError) as error:
        exchange.push([upsert("A")])
    assert error.value.code is Code.UNAVAILABLE
    exchange.edge.is_away = False
    assert exchange.list_all() == []
    assert outcomes(exchange.push([upsert("A")])) == ["CREATED"]


def test_what_came_before_a_broken_message_is_acknowledged(exchange: Exchange) -> None:
    def broken() -> Iterator[Record]:
        yield upsert("A")
        raise invalid(())

    with pytest.raises(LeadError):
        exchange.push(broken())
    assert [each.source.record_id for each in exchange.list_all()] == ["A"]


def test_a_record_changed_by_another_call_meanwhile_is_judged_anew(exchange: Exchange) -> None:
    exchange.push([upsert("A")])
    exchange.edge.meanwhile = lambda: exchange.push([upsert("A", 3), upsert("B")])
    assert outcomes(exchange.push([upsert("B"), upsert("A", 2), upsert("C")])) == ["UNCHANGED", "STALE", "CREATED"]


def test_two_streams_with_the_same_records_create_each_once(exchange: Exchange) -> None:
    records = [upsert(f"R-{n}") for n in range(60)]
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(exchange.push, [records, records])
    assert all(sorted(pair) == ["CREATED", "UNCHANGED"] for pair in zip(outcomes(one), outcomes(other), strict=True))
    assert [each.referral_id for each in one] == [each.referral_id for each in other]
    assert len(exchange.edge.facts) == 60


def test_a_withdrawn_record_comes_back_with_a_higher_version(exchange: Exchange) -> None:
    told = outcomes(exchange.push([upsert("A"), remove("A", 2), upsert("A", 2), upsert("A", 3)]))
    assert told == ["CREATED", "WITHDRAWN", "REJECTED", "REPLACED"]
    assert exchange.list_all()[0].state == pb.REFERRAL_STATE_SUBMITTED


def test_a_record_says_what_to_do_and_its_key_is_short(exchange: Exchange) -> None:
    answers = exchange.push([Record(record_key="x" * 257, referral=from_rms())])
    assert [each.path for each in answers[0].violations] == ["recordKey", "action"]


def test_a_system_names_its_source(exchange: Exchange) -> None:
    draft = from_rms()
    draft.ClearField("source")
    answers = exchange.push([Record(action=service.PUSH_ACTION_UPSERT, referral=draft)])
    assert {each.path for each in answers[0].violations} == {"source.system", "source.recordId", "source.version"}


def test_an_empty_stream_is_no_error(exchange: Exchange) -> None:
    assert exchange.push([]) == []
