from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lead.referral.v1 import justice_events_pb2 as events
from lead.referral.v1 import justice_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service
from sqlalchemy import select

from services.referral.models import JUSTICE_EVENTS, METADATA
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import a_caller, from_rms
from tests.unit.referral.justice_builders import (
    JAIL,
    a_deletion,
    a_reporter,
    a_request,
    an_event,
    at,
    outcomes,
)


def report(
    exchange: Exchange, *drafts: pb.JusticeEventDraft, caller: Caller | None = None, **request: Any
) -> service.RecordJusticeEventsResponse:
    answer: service.RecordJusticeEventsResponse = exchange.call(
        "RecordJusticeEvents", a_request(*drafts, **request), caller or a_reporter()
    )
    return answer


def told(exchange: Exchange) -> list[events.JusticeEventReported]:
    return exchange.edge.named("JusticeEventReported")


STORY = (
    an_event(record_id="A"),
    an_event("BOOKING", record_id="B"),
    an_event(record_id="A"),
    an_event(record_id="A", version=2, offence_time=at(-4)),
    an_event(record_id="A", version=1),
    an_event(record_id="A", version=2, offence_time=at(-5)),
    an_event(record_id="C", warrant_kind=None, person=None),
    a_deletion("B"),
    a_deletion("never-sent"),
    an_event("DEATH", record_id="D"),
)
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


def test_each_event_is_answered_in_order_and_a_bad_one_stops_nothing(exchange: Exchange) -> None:
    answer = report(exchange, *STORY)
    assert outcomes(answer.results) == TOLD
    assert [each.record_key for each in answer.results][:2] == ["sample-rms/A", "sample-rms/B"]
    assert answer.results[0].justice_event_id == answer.results[3].justice_event_id
    assert answer.results[0].justice_event_id.startswith("jev_")
    wrong = [sorted(each.path for each in answer.results[place].violations) for place in (4, 5, 6, 8)]
    assert wrong == [
        ["source.version"],
        ["source.version"],
        ["person.familyName", "person.givenName", "warrantKind"],
        ["source.recordId"],
    ]
    assert not answer.feed.HasField("complete_through")


def test_the_same_request_again_tells_nobody_anything_new(exchange: Exchange) -> None:
    report(exchange, *STORY)
    said = len(exchange.edge.facts)
    again = outcomes(report(exchange, *STORY).results)
    assert not {"CREATED", "REPLACED", "WITHDRAWN"} & set(again)
    assert len(exchange.edge.facts) == said


def test_what_is_sealed_is_the_event_on_a_subject_of_its_own(exchange: Exchange) -> None:
    report(exchange, an_event(booking_number="B-9", offence_time=at(-4)), an_event(record_id="A-2"))
    first, second = exchange.edge.facts
    assert first.subject_id != second.subject_id
    assert (first.source_agency_id, first.version, first.record_id[:4]) == ("sample-police", 1, "jev_")
    message = first.message
    assert isinstance(message, events.JusticeEventReported)
    assert (message.given_name, message.family_name, message.local_id) == ("Testa", "Sample", "L-77")
    assert (message.source_system, message.source_record_id) == ("sample-rms", "A-1")
    assert (message.event_time, message.offence_time) == (at(-3), at(-4))
    assert (message.warrant_kind, message.kind) == (pb.WARRANT_KIND_NONE, pb.JUSTICE_EVENT_KIND_ARREST)
    assert list(message.site_ids) == ["seattle"]
    assert not message.withdrawn
    assert len({message.incident_key, message.booking_key}) == 2


def test_the_incident_of_an_arrest_is_that_of_its_referral(exchange: Exchange) -> None:
    exchange.submit(from_rms())
    report(exchange, an_event())
    (followed,) = (each.message for each in exchange.edge.followed)
    assert told(exchange)[0].incident_key == followed.incident_key  # type: ignore[attr-defined]


def test_a_correction_keeps_id_and_subject_and_counts_on(exchange: Exchange) -> None:
    report(exchange, an_event())
    report(exchange, an_event(version=7, level=pb.JUSTICE_LEVEL_FELONY))
    report(exchange, a_deletion())
    one, two, three = exchange.edge.facts
    assert one.subject_id == two.subject_id == three.subject_id
    assert one.record_id == two.record_id == three.record_id
    assert [each.version for each in (one, two, three)] == [1, 2, 3]
    assert told(exchange)[2].withdrawn
    assert not told(exchange)[2].HasField("family_name")


def test_what_was_taken_back_comes_again_with_a_higher_version(exchange: Exchange) -> None:
    report(exchange, an_event())
    again = report(exchange, a_deletion(version=2), an_event(version=2), an_event(version=3))
    assert outcomes(again.results) == ["WITHDRAWN", "REJECTED", "REPLACED"]


def test_the_rows_that_are_kept_say_nothing_of_anybody(exchange: Exchange) -> None:
    report(exchange, *STORY, begin=at(-30), through=at(-1))
    kept = exchange.file.read_bytes() + b"".join(
        path.read_bytes() for path in exchange.file.parent.glob(exchange.file.name + "-*")
    )
    for text in (b"Testa", b"1990-05-17", b"L-77", b"26-000123", b"sample-rms", b"never-sent"):
        assert text not in kept
    with exchange.db.read() as connection:
        assert len(connection.execute(select(JUSTICE_EVENTS)).all()) == 3


def test_no_answer_depends_on_whether_somebody_is_known(exchange: Exchange) -> None:
    strangers = report(exchange, an_event(record_id="S", person=pb.JusticePerson(local_id="L-99")))
    exchange.submit(from_rms())
    known = report(exchange, an_event(record_id="K"))
    for answer in (strangers, known):
        answer.results[0].ClearField("justice_event_id")
        answer.results[0].ClearField("record_key")
    assert strangers == known


def test_five_hundred_events_are_stored_in_groups(exchange: Exchange) -> None:
    answer = report(exchange, *(an_event(record_id=f"R-{number}") for number in range(500)))
    assert set(outcomes(answer.results)) == {"CREATED"}
    assert exchange.edge.commits == 3
    assert len(told(exchange)) == 500


def test_a_request_that_is_wrong_as_a_whole_stores_nothing(exchange: Exchange) -> None:
    with pytest.raises(LeadError) as error:
        report(exchange, an_event(), begin=at(-1), through=at(-2))
    assert [each.path for each in error.value.violations] == ["completeThrough"]
    assert exchange.edge.facts == []


def test_when_nothing_can_be_sealed_the_call_fails_and_can_be_repeated(exchange: Exchange) -> None:
    exchange.edge.is_away = True
    with pytest.raises(LeadError) as error:
        report(exchange, an_event(), begin=at(-30), through=at(-1))
    assert error.value.code is Code.UNAVAILABLE
    exchange.edge.is_away = False
    answer = report(exchange, an_event(), begin=at(-30), through=at(-1))
    assert outcomes(answer.results) == ["CREATED"]
    assert answer.feed.complete_through == at(-1)


def test_what_was_stored_before_a_cut_is_unchanged_afterwards(exchange: Exchange) -> None:
    drafts = [an_event(record_id=f"R-{number}") for number in range(450)]
    exchange.edge.away_from = 2
    with pytest.raises(LeadError):
        report(exchange, *drafts, begin=at(-30), through=at(-1))
    exchange.edge.away_from = 0
    answer = report(exchange, *drafts, begin=at(-30), through=at(-1))
    assert outcomes(answer.results) == ["UNCHANGED"] * 200 + ["CREATED"] * 250
    assert answer.feed.complete_through == at(-1)
    assert len(told(exchange)) == 450


def test_an_event_that_another_call_stores_meanwhile_is_judged_anew(exchange: Exchange) -> None:
    exchange.edge.meanwhile = lambda: report(exchange, an_event(record_id="B"), an_event(record_id="A", version=3))
    answer = report(exchange, an_event(record_id="A"), an_event(record_id="B"), an_event(record_id="C"))
    assert outcomes(answer.results) == ["STALE", "UNCHANGED", "CREATED"]


def test_two_calls_with_the_same_events_create_each_once(exchange: Exchange) -> None:
    drafts = [an_event(record_id=f"R-{number}") for number in range(60)]
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: report(exchange, *drafts), range(2))
    for pair in zip(outcomes(one.results), outcomes(other.results), strict=True):
        assert sorted(pair) == ["CREATED", "UNCHANGED"]
    assert len(told(exchange)) == 60


def test_an_idempotency_key_stands_for_one_body(exchange: Exchange) -> None:
    first = report(exchange, an_event(), key="k1", begin=at(-30), through=at(-1))
    again = report(exchange, an_event(), key="k1", begin=at(-30), through=at(-1))
    assert (outcomes(first.results), outcomes(again.results)) == (["CREATED"], ["UNCHANGED"])
    assert first.results[0].justice_event_id == again.results[0].justice_event_id
    assert again.feed == first.feed
    with pytest.raises(LeadError) as error:
        report(exchange, an_event(version=2), key="k1")
    assert error.value.code is Code.ALREADY_EXISTS


def test_a_repeat_by_its_key_is_no_declaration_that_goes_back(exchange: Exchange) -> None:
    report(exchange, an_event(), key="k1", begin=at(-30), through=at(-2))
    report(exchange, an_event(record_id="A-2"), through=at(-1))
    again = report(exchange, an_event(), key="k1", begin=at(-30), through=at(-2))
    assert again.feed.complete_through == at(-1)


@pytest.mark.parametrize("kind", ["jail", "court"])
def test_jails_and_courts_report_and_do_nothing_else(exchange: Exchange, kind: str) -> None:
    caller = a_reporter(JAIL, kind)
    assert outcomes(report(exchange, an_event("BOOKING"), caller=caller).results) == ["CREATED"]
    with pytest.raises(LeadError) as error:
        exchange.submit(from_rms(), caller)
    assert error.value.code is Code.PERMISSION_DENIED


@pytest.mark.parametrize("caller", [a_caller(), a_caller("program_manager"), a_caller("police_rms", agency_kind="ems")])
def test_nobody_else_reports(exchange: Exchange, caller: Caller) -> None:
    with pytest.raises(LeadError) as error:
        report(exchange, an_event(), caller=caller)
    assert error.value.code is Code.PERMISSION_DENIED


def test_records_of_two_agencies_are_two(exchange: Exchange) -> None:
    report(exchange, an_event())
    assert outcomes(report(exchange, an_event(), caller=a_reporter(JAIL, "jail")).results) == ["CREATED"]


def test_a_rejected_record_is_named_only_where_its_name_is_one(exchange: Exchange) -> None:
    bad = an_event()
    bad.source.record_id = "A\x00secret"
    answer = report(exchange, bad, an_event(record_id="A-2", kind="ARREST", time=None))
    assert [each.record_key for each in answer.results] == ["", "sample-rms/A-2"]
    assert "secret" not in str(answer)


def test_no_method_returns_a_row() -> None:
    assert "justice_events" in METADATA.tables
    answers = {method.output_type.name for method in service.DESCRIPTOR.services_by_name["ReferralService"].methods}
    carrying = {
        name
        for name in answers
        for field in service.DESCRIPTOR.message_types_by_name[name].fields
        if field.message_type is not None and field.message_type.name.startswith("JusticeEvent")
    }
    assert carrying == {"RecordJusticeEventsResponse"}
    told_back = {field.name for field in service.JusticeEventResult.DESCRIPTOR.fields}
    assert told_back == {"record_key", "outcome", "justice_event_id", "violations"}
