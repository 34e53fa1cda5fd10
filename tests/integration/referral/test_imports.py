from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import store_incidents
from services.shared.errors import Code, LeadError
from services.shared.ids import is_id
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import NOW, a_caller, changed

SAMPLES = Path(str(resources.files("services.command"))) / "sample"
FIXTURES = Path(__file__).parents[3].parent / "shared/fixtures/nibrs"
foreign = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the sample files are not here")


def sample(name: str) -> bytes:
    return (SAMPLES / f"nibrs_{name}.xml").read_bytes()


def outcomes(results: list[service.ImportResult]) -> list[str]:
    return [service.ImportOutcome.Name(each.outcome).removeprefix("IMPORT_OUTCOME_") for each in results]


def send(exchange: Exchange, *names: str) -> list[str]:
    return [outcome for name in names for outcome in outcomes(exchange.send(sample(name)))]


def fixture(exchange: Exchange, name: str, *changes: tuple[bytes, bytes]) -> list[service.ImportResult]:
    data = (FIXTURES / name).read_bytes().replace(b"WVNDX0100", b"WASAMPLE1")
    for old, new in changes:
        data = data.replace(old, new)
    return exchange.send(data)


def named(incident: pb.Incident, **changes: Any) -> service.ReferIncidentRequest:
    request = service.ReferIncidentRequest(
        id=incident.id,
        etag=incident.etag,
        site_id="seattle",
        door=pb.DOOR_ARREST_DIVERSION,
        person=pb.Person(given_name="Testa", family_name="Sample", birth_date="1991"),
    )
    return changed(request, changes)


def refer(exchange: Exchange, request: service.ReferIncidentRequest, **beside: Any) -> pb.Referral:
    referral: pb.Referral = exchange.call("ReferIncident", request, **beside).referral
    return referral


def test_each_person_of_a_report_becomes_a_candidate(exchange: Exchange) -> None:
    results = exchange.send(sample("incident"))
    assert outcomes(results) == ["CREATED", "CREATED"]
    assert results[0].record_key == "ZZ0000100/GROUP A INCIDENT REPORT/26S-000101/arrestee-1"
    one, two = exchange.incidents()
    assert (one.id, two.id) == tuple(each.incident_id for each in results)
    assert is_id(one.id, "inc")
    assert (one.sequence, two.sequence, one.version, one.incident_number) == (1, 2, 1, "26S-000101")
    assert one.reference.source_agency_id == "sample-police"
    assert one.reference.subject_id != two.reference.subject_id
    assert one.charges[0].offense_code == "35A"
    assert one.purge_time.ToDatetime(tzinfo=UTC) == NOW + timedelta(days=30)


def test_nothing_is_told_of_a_candidate(exchange: Exchange) -> None:
    send(exchange, "incident", "incident_corrected", "arrest", "incident_deleted")
    assert exchange.edge.commits == 0
    assert exchange.edge.statements == []


def test_candidates_are_seen_by_the_submitting_agency_alone(exchange: Exchange) -> None:
    send(exchange, "incident")
    (one, _) = exchange.incidents()
    sheriff = a_caller(agency="sample-sheriff")
    assert exchange.incidents(sheriff) == []
    with pytest.raises(LeadError) as error:
        refer(exchange, named(one), caller=sheriff)
    assert error.value.code is Code.NOT_FOUND


def test_a_file_sent_twice_changes_nothing(exchange: Exchange) -> None:
    assert send(exchange, "incident", "incident") == ["CREATED"] * 2 + ["UNCHANGED"] * 2


def test_a_correction_makes_a_version_and_the_old_file_again_none(exchange: Exchange) -> None:
    send(exchange, "incident")
    before = {each.id: each.etag for each in exchange.incidents()}
    assert "REPLACED" in send(exchange, "incident_corrected")
    after = exchange.incidents()
    assert {each.id for each in after} == set(before)
    corrected = [each for each in after if each.version == 2]
    assert corrected
    assert all(each.etag != before[each.id] for each in corrected)
    # Arrival order of distinct content: what was seen before is no news, whichever version it was.
    assert set(send(exchange, "incident", "incident_corrected")) == {"UNCHANGED"}
    assert {each.id: each.version for each in exchange.incidents()} == {each.id: each.version for each in after}


def test_a_replace_takes_away_whoever_it_no_longer_names(exchange: Exchange) -> None:
    send(exchange, "incident")
    results = exchange.send(without_the_second_arrestee(sample("incident_corrected")))
    assert sorted(outcomes(results)) == ["DELETED", "REPLACED"]
    assert [each.sequence for each in exchange.incidents()] == [1]


def without_the_second_arrestee(report: bytes) -> bytes:
    parts = ("Arrestee", "Arrest", "ArrestSubjectAssociation")
    kept = report
    for part in parts:
        whole = re.compile(rb"<j:%b[ >].*?</j:%b>" % (part.encode(), part.encode()), re.DOTALL)
        kept = whole.sub(
            lambda found: b"" if b'"Arrest2"' in found[0] or b'"Arrestee2"' in found[0] else found[0], kept
        )
    return kept


def test_a_delete_takes_away_everybody_of_the_report(exchange: Exchange) -> None:
    assert send(exchange, "incident", "incident_deleted") == ["CREATED"] * 2 + ["DELETED"] * 2
    assert exchange.incidents() == []


def test_a_delete_of_what_was_never_here_says_so_and_changes_nothing(exchange: Exchange) -> None:
    send(exchange, "arrest")
    before = exchange.incidents()
    assert send(exchange, "incident_deleted") == ["UNKNOWN_RECORD"]
    assert exchange.incidents() == before


def test_a_zero_report_reports_nothing(exchange: Exchange) -> None:
    assert send(exchange, "zero") == ["NOTHING_REPORTED"]


def test_a_report_of_another_agency_is_rejected_and_the_others_stand(exchange: Exchange) -> None:
    sheriff = a_caller("police_rms", "sample-sheriff")
    (result,) = exchange.send(sample("incident"), sheriff)
    assert outcomes([result]) == ["REJECTED"]
    assert result.record_key.startswith("/nibrs:Submission/nibrs:Report[1]")
    assert result.violations[0].wish == "an ORI of your own agency"
    assert exchange.incidents(sheriff) == []


@pytest.mark.parametrize("data", [b"", b"not xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a/>"])
def test_a_file_that_cannot_be_read_is_refused_whole(exchange: Exchange, data: bytes) -> None:
    with pytest.raises(LeadError) as error:
        exchange.send(data)
    assert error.value.code is Code.INVALID_ARGUMENT
    assert exchange.incidents() == []


def test_an_idempotency_key_does_not_serve_two_files(exchange: Exchange) -> None:
    exchange.send(sample("incident"), key="k1")
    assert outcomes(exchange.send(sample("incident"), key="k1")) == ["UNCHANGED"] * 2
    with pytest.raises(LeadError) as error:
        exchange.send(sample("arrest"), key="k1")
    assert error.value.code is Code.ALREADY_EXISTS


def test_candidates_are_purged_after_30_days_and_not_before(exchange: Exchange) -> None:
    send(exchange, "incident", "arrest")
    with exchange.db.write() as connection:
        assert store_incidents.purge(connection, NOW + timedelta(days=30) - timedelta(seconds=1)) == 0
        assert store_incidents.purge(connection, NOW + timedelta(days=30)) == 3
    assert exchange.incidents() == []
    assert send(exchange, "incident") == ["CREATED"] * 2


def test_two_imports_of_one_file_at_once_create_each_person_once(exchange: Exchange) -> None:
    with ThreadPoolExecutor(2) as pool:
        told = [each for results in pool.map(exchange.send, [sample("incident")] * 2) for each in outcomes(results)]
    assert sorted(told) == ["CREATED"] * 2 + ["UNCHANGED"] * 2
    assert len(exchange.incidents()) == 2


def test_a_list_of_candidates_has_pages(exchange: Exchange) -> None:
    send(exchange, "incident", "arrest")
    first = exchange.call("ListIncidents", service.ListIncidentsRequest(page_size=2))
    rest = exchange.call("ListIncidents", service.ListIncidentsRequest(page_size=2, page_token=first.next_page_token))
    assert len({each.id for each in (*first.incidents, *rest.incidents)}) == 3
    assert not rest.next_page_token


def test_an_officer_names_the_person_and_it_is_a_referral(exchange: Exchange) -> None:
    send(exchange, "incident")
    incident = exchange.incidents()[0]
    made = refer(exchange, named(incident))
    assert made.source == pb.Source(
        system="nibrs", record_id="ZZ0000100/GROUP A INCIDENT REPORT/26S-000101/arrestee-1", version=1
    )
    assert made.reference.subject_id == incident.reference.subject_id
    assert made.person.family_name == "Sample"
    assert (made.agency_ori, made.incident_number) == ("ZZ0000100", "26S-000101")
    assert [each.offense_code for each in made.charges] == ["35A"]
    assert made.charges[0].substances[0].unit == pb.QUANTITY_UNIT_GRAM
    assert is_id(made.charges[0].id, "chg")
    assert len(exchange.edge.named("ReferralRecorded")) == 1
    after = {each.id: each for each in exchange.incidents()}[incident.id]
    assert after.referral_id == made.id
    assert after.etag != incident.etag


def test_a_stale_candidate_is_not_referred(exchange: Exchange) -> None:
    send(exchange, "incident")
    stale = {each.sequence: each for each in exchange.incidents()}
    send(exchange, "incident_corrected")
    corrected = next(each for each in exchange.incidents() if each.version == 2)
    with pytest.raises(LeadError) as error:
        refer(exchange, named(stale[corrected.sequence]))
    assert error.value.code is Code.ABORTED


def test_a_corrected_report_referred_again_replaces_the_referral(exchange: Exchange) -> None:
    send(exchange, "incident")
    made = {each.sequence: refer(exchange, named(each)) for each in exchange.incidents()}
    send(exchange, "incident_corrected")
    corrected = next(each for each in exchange.incidents() if each.version == 2)
    again = refer(exchange, named(corrected))
    assert again.id == made[corrected.sequence].id
    assert again.source.version == 2
    assert [each.id for each in again.charges] == [each.id for each in made[corrected.sequence].charges]


def test_a_naming_names_all_that_is_wrong(exchange: Exchange) -> None:
    send(exchange, "incident")
    request = named(exchange.incidents()[0], person=pb.Person(birth_date="2012-01-01"), site_id="nowhere", etag=None)
    with pytest.raises(LeadError) as error:
        refer(exchange, request)
    assert {each.path for each in error.value.violations} == {"siteId", "person.familyName", "etag"}


def test_a_referral_outlives_its_candidate(exchange: Exchange) -> None:
    send(exchange, "incident")
    made = refer(exchange, named(exchange.incidents()[0]))
    send(exchange, "incident_deleted")
    assert exchange.get(made.id).state == made.state


def test_a_naming_by_the_same_key_gives_the_same_referral(exchange: Exchange) -> None:
    send(exchange, "incident")
    request = named(exchange.incidents()[0], request_id="k1")
    assert refer(exchange, request) == refer(exchange, request)


@foreign
def test_aggravated_assault_is_presumptively_ineligible_with_the_reason(exchange: Exchange) -> None:
    assert outcomes(fixture(exchange, "GroupAIncident_Sample.xml")) == ["CREATED"]
    (incident,) = exchange.incidents()
    assert incident.screening.result == pb.SCREENING_RESULT_PRESUMPTIVELY_INELIGIBLE
    assert incident.screening.reasons[0].rule == "serious_offence"
    assert "13A" in incident.screening.reasons[0].input
    assert (incident.age_min, incident.age_max) == (25, 30)


@foreign
def test_a_replace_without_news_is_unchanged(exchange: Exchange) -> None:
    fixture(exchange, "GroupAIncident_Sample.xml")
    assert outcomes(fixture(exchange, "GroupAReplace_Sample.xml")) == ["UNCHANGED"]


@foreign
def test_two_arrestees_are_two_candidates_and_a_delete_names_one(exchange: Exchange) -> None:
    assert outcomes(fixture(exchange, "GroupBArrest_Sample_multipleArrestees.xml")) == ["CREATED"] * 2
    assert outcomes(fixture(exchange, "GroupBArrest_Sample.xml")) == ["UNCHANGED"]
    assert outcomes(fixture(exchange, "GroupBArrestDelete_Sample.xml")) == ["DELETED"]
    assert [each.sequence for each in exchange.incidents()] == [2]


@foreign
def test_the_delete_of_an_unknown_incident_says_so(exchange: Exchange) -> None:
    assert outcomes(fixture(exchange, "IncidentDelete_Sample.xml")) == ["UNKNOWN_RECORD"]
    assert outcomes(fixture(exchange, "ZeroReport_Sample.xml")) == ["NOTHING_REPORTED"]


@foreign
def test_offence_and_arrest_code_are_both_screened_and_the_worse_wins(exchange: Exchange) -> None:
    fixture(exchange, "AllFields_Sample.xml")
    (incident,) = exchange.incidents()
    assert [each.offense_code for each in incident.charges] == ["240", "64A"]
    assert incident.screening.result == pb.SCREENING_RESULT_PRESUMPTIVELY_INELIGIBLE
    assert "64A" in incident.screening.reasons[0].input
    (substance,) = incident.charges[0].substances
    assert substance.unit == pb.QUANTITY_UNIT_NOT_REPORTED
    assert not substance.HasField("quantity")
