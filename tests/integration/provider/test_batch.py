"""A file of enrolments, row by row: the same file twice, broken rows, broken files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.shared.errors import Code, LeadError, unavailable
from tests.integration.provider.house import House, a_case_manager, a_provider

HEADER = "recordId,version,system,serviceId,serviceReferralId,participantId,status,startTime,endTime"
CREATED, UNCHANGED = service.BATCH_OUTCOME_CREATED, service.BATCH_OUTCOME_UNCHANGED
REPLACED, STALE = service.BATCH_OUTCOME_REPLACED, service.BATCH_OUTCOME_STALE
REJECTED = service.BATCH_OUTCOME_REJECTED


def a_row(referral: pb.ServiceReferral, **said: str) -> str:
    """Return a line of a file about somebody who was referred."""
    cells = {
        "recordId": "R-1",
        "version": "1",
        "system": "ehr",
        "serviceId": referral.service_id,
        "serviceReferralId": referral.id,
        "participantId": "",
        "status": "ENROLLED",
        "startTime": "2026-02-20",
        "endTime": "",
    }
    return ",".join((cells | said).values())


def a_file(*rows: str, header: str = HEADER) -> str:
    return "\r\n".join([header, *rows, ""])


def outcomes(response: service.BatchEnrollmentsResponse) -> list[int]:
    return [each.outcome for each in response.results]


def paths(result: service.BatchResult) -> list[str]:
    return [each.path for each in result.violations]


def test_the_same_file_again_changes_nothing_and_tells_nobody(house: House) -> None:
    asked = house.asked()
    file = a_file(a_row(asked), a_row(asked, recordId="R-2", status="ENROLLMENT_STATUS_ACTIVE"))
    first, said = house.sent(file), len(house.recorder.said)
    house.clock.advance(60)
    second = house.sent(file)
    assert outcomes(first) == [CREATED, CREATED]
    assert outcomes(second) == [UNCHANGED, UNCHANGED]
    assert [each.enrollment_id for each in first.results] == [each.enrollment_id for each in second.results]
    assert (first.created, second.unchanged, second.created) == (2, 2, 0)
    assert len(house.recorder.said) == said


def test_the_same_file_again_asks_consent_about_nobody(house: House) -> None:
    person, offered = house.a_person(), house.a_service()
    house.asked(person, offered)
    row = f"R-1,1,ehr,{offered.id},,{person.participant_id},ACTIVE,2026-02-20,"
    house.sent(a_file(row))
    asked = len(house.consent.asked)
    house.sent(a_file(row))
    assert len(house.consent.asked) == asked


def test_a_results_line_is_that_of_the_file(house: House) -> None:
    asked = house.asked()
    response = house.sent(a_file(a_row(asked), "", a_row(asked, recordId="R-2"), ",,,,,,,,"))
    assert [(each.line, each.record_key) for each in response.results] == [(2, "ehr/R-1"), (4, "ehr/R-2")]


def test_versions_are_judged_like_those_of_referrals(house: House) -> None:
    asked = house.asked()
    file = a_file(
        a_row(asked, version="2"),
        a_row(asked, version="3", status="ACTIVE"),
        a_row(asked, version="2"),
        a_row(asked, version="3", status="COMPLETED"),
    )
    response = house.sent(file)
    assert outcomes(response) == [CREATED, REPLACED, STALE, REJECTED]
    assert paths(response.results[3]) == ["version"]
    assert response.results[3].violations[0].wish.startswith("VERSION_REUSED")
    (made,) = house.enrolments(a_provider())
    assert (made.source.version, made.status) == (3, pb.ENROLLMENT_STATUS_ACTIVE)


def test_without_versions_the_order_of_arrival_of_distinct_content_counts(house: House) -> None:
    asked = house.asked()
    first, second = a_row(asked, version=""), a_row(asked, version="", status="ACTIVE")
    assert outcomes(house.sent(a_file(first))) == [CREATED]
    assert outcomes(house.sent(a_file(second, second))) == [REPLACED, UNCHANGED]
    older = house.sent(a_file(first))
    assert outcomes(older) == [STALE]
    assert paths(older.results[0]) == ["version"]
    assert house.enrolments(a_provider())[0].status == pb.ENROLLMENT_STATUS_ACTIVE
    assert outcomes(house.sent(a_file(a_row(asked, version="1")))) == [REPLACED]


def test_a_record_that_had_a_version_keeps_having_one(house: House) -> None:
    asked = house.asked()
    house.sent(a_file(a_row(asked)))
    response = house.sent(a_file(a_row(asked, version="", status="ACTIVE")))
    assert outcomes(response) == [REJECTED]
    assert paths(response.results[0]) == ["version"]


def test_a_bad_row_names_every_wrong_column_and_stops_nobody(house: House) -> None:
    asked = house.asked()
    bad = a_row(
        asked,
        recordId="=cmd()",
        version="-1",
        serviceId="srv_none",
        serviceReferralId="srf_none",
        status="ENROLED",
        startTime="20.02.2026",
        endTime="2027-01-01",
    )
    response = house.sent(a_file(bad, a_row(asked)))
    assert outcomes(response) == [REJECTED, CREATED]
    assert sorted(paths(response.results[0])) == [
        *("endTime", "recordId", "serviceId", "serviceReferralId", "startTime", "status", "version")
    ]
    assert not response.results[0].record_key


def test_no_answer_repeats_what_a_row_said(house: House) -> None:
    asked = house.asked()
    secret = "Testa-Sample"
    rows = [a_row(asked, **{column: f"={secret}"}) for column in HEADER.split(",")]
    rows += [a_row(asked, **{column: secret}) for column in ("version", "status", "startTime", "endTime")]
    rows += [f'{secret},"{secret}', secret]
    assert secret not in str(house.sent(a_file(*rows)))
    for kind, text in (
        ("application/json", f'[{{"{secret} x": 1, "status": "{secret}"}}, "{secret}", {{"source": "{secret}"}}]'),
        ("application/x-ndjson", f'"{secret}"\n{{"status": "{secret}"\n'),
    ):
        assert secret not in str(house.sent(text, kind))


def test_formulas_are_refused_with_the_reason(house: House) -> None:
    asked = house.asked()
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", '"=1,1"'):
        response = house.sent(a_file(a_row(asked, recordId=cell)))
        assert outcomes(response) == [REJECTED]
        assert "formula" in response.results[0].violations[0].wish


def test_ragged_rows_and_broken_quotes_spoil_no_other_row(house: House) -> None:
    asked = house.asked()
    file = a_file(
        a_row(asked) + ",more",
        '"never closed,1,ehr',
        '"R"3,1,ehr,,,,,,',
        a_row(asked, recordId='"R ""4"""'),
        "R-5",
    )
    response = house.sent(file)
    assert outcomes(response) == [REJECTED, REJECTED, REJECTED, CREATED, REJECTED]
    assert [paths(each) for each in response.results if each.outcome == REJECTED] == 4 * [["row"]]
    (made,) = house.enrolments(a_provider())
    assert made.source.record_id == 'R "4"'


def test_json_and_ndjson_say_the_same_as_csv(house: House) -> None:
    asked = house.asked()
    draft = {
        "serviceReferralId": asked.id,
        "source": {"system": "ehr", "recordId": "R-1", "version": "1"},
        "status": "ENROLLMENT_STATUS_ACTIVE",
        "startTime": "2026-02-20T08:00:00Z",
    }
    first = house.sent(json.dumps([draft]), "application/json")
    again = house.sent(json.dumps({"enrollments": [draft]}), "application/json; charset=utf-8")
    lines = house.sent("\n".join([json.dumps(draft), "", '{"status":']), "application/x-ndjson")
    assert outcomes(first) == [CREATED]
    assert outcomes(again) == [UNCHANGED]
    assert outcomes(lines) == [UNCHANGED, REJECTED]
    assert [each.line for each in lines.results] == [1, 3]
    row = a_row(asked, serviceId="", status="ACTIVE", startTime="2026-02-20T08:00:00+00:00")
    assert outcomes(house.sent(a_file(row))) == [UNCHANGED]


def test_json_names_fields_as_the_contract_does(house: House) -> None:
    rows = [{"source": {"version": 0, "sid": "x"}, "name": "Testa"}, {"status": 2}, [], {}]
    response = house.sent(json.dumps(rows), "application/json")
    assert outcomes(response) == 4 * [REJECTED]
    assert {"source.version", "source.sid", "source.recordId", "source.system", "name"} <= set(
        paths(response.results[0])
    )
    assert "status" in paths(response.results[1])
    assert paths(response.results[2]) == [""]


def test_a_day_begins_where_the_site_is(house: House) -> None:
    asked = house.asked()
    house.sent(a_file(a_row(asked)))
    (made,) = house.enrolments(a_provider())
    assert made.start_time.ToJsonString() == "2026-02-20T08:00:00Z"


@pytest.mark.parametrize(
    ("data", "kind", "wish"),
    [
        (b"", "text/csv", "header"),
        (HEADER.encode("utf-16"), "text/csv", "UTF-16"),
        (HEADER.encode() + b"\r\n\xe9,1", "text/csv", "line 2"),
        (b"[{]", "application/json", "JSON array"),
        (b'{"rows": []}', "application/json", "JSON array"),
        (b"[" * 100_000, "application/json", "JSON array"),
        (HEADER.encode(), "text/csv; charset=iso-8859-1", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(house: House, data: bytes, kind: str, wish: str) -> None:
    with pytest.raises(LeadError) as refused:
        house.sent(data, kind)
    assert [each.path for each in refused.value.violations] == ["file"]
    assert wish in refused.value.violations[0].wish


@pytest.mark.parametrize("kind", ["", "text/plain", "application/vnd.ms-excel"])
def test_another_kind_of_file_is_refused(house: House, kind: str) -> None:
    with pytest.raises(LeadError) as refused:
        house.sent(a_file(), kind)
    assert refused.value.reason == "UNSUPPORTED_MEDIA_TYPE"


def test_every_problem_of_a_header_is_named_at_once(house: House) -> None:
    with pytest.raises(LeadError) as refused:
        house.sent("recordId,recordId,Testa Sample,fbiNumber,startTime\r\n")
    told = [(each.path, each.wish) for each in refused.value.violations]
    assert [path for path, _ in told] == [
        *("file.header[0]", "file.header[1]", "file.header[2]", "file.header[3]"),
        *("file.header", "file.header", "file.header", "file.header"),
    ]
    assert [wish for path, wish in told if path == "file.header"] == [
        "a column system",
        "a column status",
        "a column serviceReferralId or participantId",
        "a column serviceId or serviceReferralId",
    ]
    assert "Testa" not in str(refused.value.violations)


def test_a_byte_order_mark_is_allowed(house: House) -> None:
    asked = house.asked()
    assert outcomes(house.sent(b"\xef\xbb\xbf" + a_file(a_row(asked)).encode())) == [CREATED]


def test_more_than_5000_rows_are_refused_and_none_is_stored(house: House) -> None:
    asked = house.asked()
    rows = [a_row(asked, recordId=f"R-{n}") for n in range(5_001)]
    with pytest.raises(LeadError) as refused:
        house.sent(a_file(*rows))
    assert [each.wish for each in refused.value.violations] == ["at most 5,000 rows in one file"]
    assert house.enrolments(a_provider()) == []


def test_rows_are_stored_two_hundred_at_a_time(house: House) -> None:
    person, offered = house.a_person(), house.a_service()
    house.asked(person, offered)
    house.recorder.leases.clear()
    rows = [f"R-{n},1,ehr,{offered.id},,{person.participant_id},ACTIVE,2026-02-20," for n in range(450)]
    response = house.sent(a_file(*rows))
    assert response.created == 450
    assert house.recorder.leases == [200, 200, 50]
    assert house.consent.asked.count(person.participant_id) <= 1 + 3


def test_after_a_cut_the_whole_file_may_be_sent_again(house: House) -> None:
    person, offered = house.a_person(), house.a_service()
    house.asked(person, offered)
    rows = [f"R-{n},1,ehr,{offered.id},,{person.participant_id},ACTIVE,2026-02-20," for n in range(250)]
    prepare, calls = house.recorder.prepare, []

    def away(events: Any) -> Any:
        calls.append(len(events))
        if len(calls) == 2:
            raise unavailable("consent does not answer")
        return prepare(events)

    house.recorder.prepare = away  # type: ignore[method-assign]
    with pytest.raises(LeadError) as refused:
        house.sent(a_file(*rows))
    assert refused.value.code is Code.UNAVAILABLE
    again = house.sent(a_file(*rows))
    assert (again.unchanged, again.created) == (200, 50)


def test_a_file_that_races_with_another_is_judged_by_what_that_left(house: House) -> None:
    asked = house.asked()
    house.recorder.meanwhile = lambda: house.sent(a_file(a_row(asked, version="2", status="ACTIVE")))
    response = house.sent(a_file(a_row(asked), a_row(asked, recordId="R-2")))
    assert outcomes(response) == [STALE, CREATED]


def test_a_key_that_was_used_for_another_file_is_refused(house: House) -> None:
    asked = house.asked()
    house.sent(a_file(a_row(asked)), request_id="once")
    assert outcomes(house.sent(a_file(a_row(asked)), request_id="once")) == [UNCHANGED]
    with pytest.raises(LeadError) as refused:
        house.sent(a_file(a_row(asked, recordId="R-2")), request_id="once")
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


def test_a_file_moves_the_answer_with_the_last_of_its_rows(house: House) -> None:
    asked = house.asked()
    ended = a_row(asked, version="2", status="COMPLETED", endTime="2026-02-25")
    house.sent(a_file(a_row(asked), ended))
    answer = house.seen(asked.id, a_case_manager()).answer
    assert answer.state == pb.ANSWER_STATE_COMPLETED
    assert len(house.said("ServiceReferralAnswered")) == 1


def test_a_row_about_somebody_elses_referral_is_like_one_about_nobodys(house: House) -> None:
    asked = house.asked()
    hidden = house.asked(house.a_person(releases_to=()))
    rows = [a_row(asked, recordId=f"R-{each}", serviceReferralId=each) for each in (hidden.id, "srf_none")]
    response = house.sent(a_file(*rows))
    assert outcomes(response) == [REJECTED, REJECTED]
    assert response.results[0].violations == response.results[1].violations


def test_what_was_sent_without_a_person_is_not_stored(house: House) -> None:
    response = house.sent(a_file("R-1,1,ehr,,,,ACTIVE,2026-02-20,"))
    assert paths(response.results[0]) == ["serviceReferralId", "serviceId"]
    assert house.enrolments(a_provider()) == []
