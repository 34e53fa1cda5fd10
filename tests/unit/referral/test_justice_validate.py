from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import justice_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import fields
from services.referral.justice import validate
from services.shared.errors import LeadError
from services.shared.wire import stamp
from tests.unit.referral.builders import NOW, a_caller
from tests.unit.referral.justice_builders import a_deletion, a_reporter, a_request, a_source, an_event, at

KINDS = [name.removeprefix("JUSTICE_EVENT_KIND_") for name, number in pb.JusticeEventKind.items() if number]


def wrong(draft: pb.JusticeEventDraft) -> dict[str, str]:
    return {each.path: each.wish for each in validate.event(draft, NOW)}


def refused(request: service.RecordJusticeEventsRequest) -> set[str]:
    with pytest.raises(LeadError) as error:
        validate.requested(request, NOW)
    return {each.path for each in error.value.violations}


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_of_each_kind_can_be_said(kind: str) -> None:
    assert wrong(an_event(kind)) == {}


def test_every_text_field_and_list_has_a_rule() -> None:
    assert list(fields.unruled(service.RecordJusticeEventsRequest.DESCRIPTOR)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_is_without_its_time(kind: str) -> None:
    assert "time" in wrong(an_event(kind, time=None))


@pytest.mark.parametrize(
    ("kind", "field", "path"),
    [
        ("ARREST", "warrant_kind", "warrantKind"),
        ("CHARGE_FILED", "level", "level"),
        ("BOOKING", "booking_number", "bookingNumber"),
        ("RELEASE", "booking_number", "bookingNumber"),
    ],
)
def test_a_kind_is_nothing_without_its_own_field(kind: str, field: str, path: str) -> None:
    without: dict[str, Any] = {field: None}
    assert path in wrong(an_event(kind, **without))
    for other in set(KINDS) - {"ARREST", "CHARGE_FILED", "BOOKING", "RELEASE"}:
        assert path not in wrong(an_event(other, **without))


def test_an_arrest_says_that_there_was_probable_cause_or_which_warrant() -> None:
    assert wrong(an_event(warrant_kind=pb.WARRANT_KIND_NONE)) == {}
    assert "probable cause" in wrong(an_event(warrant_kind=None))["warrantKind"]


@pytest.mark.parametrize("kind", [pb.WARRANT_KIND_FTA, pb.WARRANT_KIND_SUPERVISION, pb.WARRANT_KIND_PRIOR_OFFENCE])
def test_times_of_offence_and_warrant_may_be_unknown(kind: pb.WarrantKind.ValueType) -> None:
    assert wrong(an_event(warrant_kind=kind)) == {}
    assert wrong(an_event(warrant_kind=kind, warrant_time=at(-400), offence_time=at(-500))) == {}


def test_without_a_warrant_there_is_no_time_of_one() -> None:
    assert set(wrong(an_event(warrant_kind=pb.WARRANT_KIND_NONE, warrant_time=at(-4)))) == {"warrantTime"}
    assert set(wrong(an_event("BOOKING", warrant_time=at(-4)))) == {"warrantTime"}


@pytest.mark.parametrize("field", ["offence_time", "warrant_time"])
def test_neither_offence_nor_warrant_comes_after_the_event(field: str) -> None:
    after: dict[str, Any] = {field: at(-2)}
    found = wrong(an_event(warrant_kind=pb.WARRANT_KIND_FTA, **after))
    assert list(found) == [{"offence_time": "offenceTime", "warrant_time": "warrantTime"}[field]]
    after[field] = at(-3)
    assert wrong(an_event(warrant_kind=pb.WARRANT_KIND_FTA, **after)) == {}


def test_a_death_takes_no_charge() -> None:
    charge: dict[str, Any] = {
        "offence_time": at(-5),
        "warrant_kind": pb.WARRANT_KIND_FTA,
        "warrant_time": at(-5),
        "level": pb.JUSTICE_LEVEL_FELONY,
    }
    assert set(wrong(an_event("DEATH", **charge))) == {"offenceTime", "warrantKind", "warrantTime", "level"}


@pytest.mark.parametrize(
    ("person", "paths"),
    [
        ({"local_id": "L-77"}, set()),
        ({"given_name": "Testa", "family_name": "Sample"}, set()),
        ({"given_name": "Testa"}, {"person.familyName"}),
        ({"given_name": " ", "family_name": "Sample"}, {"person.givenName"}),
        ({"birth_date": "1990"}, {"person.givenName", "person.familyName"}),
    ],
)
def test_a_person_is_meant_by_number_or_by_both_names(person: dict[str, str], paths: set[str]) -> None:
    assert set(wrong(an_event(person=pb.JusticePerson(**person)))) == paths


def test_somebody_is_meant_at_all() -> None:
    assert set(wrong(an_event(person=None))) == {"person.givenName", "person.familyName"}


@pytest.mark.parametrize("born", ["1990", "1990-05", "1990-05-17", "2000-02-29"])
def test_a_birth_date_may_be_partial(born: str) -> None:
    assert wrong(an_event(person=pb.JusticePerson(local_id="L", birth_date=born))) == {}


@pytest.mark.parametrize("born", ["1899", "2026-03-03", "2001-02-29", "17.05.1990", "90", "1990-13"])
def test_a_birth_date_is_one_of_the_calendar(born: str) -> None:
    found = wrong(an_event(person=pb.JusticePerson(local_id="L", birth_date=born)))
    assert set(found) == {"person.birthDate"}
    assert born not in str(found)


@pytest.mark.parametrize("field", ["given_name", "family_name", "local_id"])
@pytest.mark.parametrize(
    "text", ["FBI 123456AB7", "123456AB7", "WA12345678", "SID 1234567", "see NCIC", "HIV positive"]
)
def test_what_is_never_carried_is_refused_by_its_shape(field: str, text: str) -> None:
    person = pb.JusticePerson(given_name="Testa", family_name="Sample", local_id="L-1")
    setattr(person, field, text)
    found = wrong(an_event(person=person))
    assert len(found) == 1
    assert text not in str(found)


@pytest.mark.parametrize(
    ("moment", "is_fine"),
    [
        (NOW + timedelta(minutes=5), True),
        (NOW + timedelta(minutes=5, seconds=1), False),
        (NOW.replace(year=1900, month=1, day=1, hour=0), True),
        (NOW.replace(year=1899), False),
    ],
)
def test_times_are_of_our_age_and_not_ahead(moment: Any, is_fine: bool) -> None:
    assert ("time" not in wrong(an_event(time=stamp(moment)))) is is_fine


def test_all_wrong_paths_are_named_at_once_and_no_value_is_echoed() -> None:
    draft = an_event(
        source=a_source("bad\x00id", 0),
        level=99,
        time=Timestamp(seconds=10**15),
        offence_time=at(3),
        incident_number="\x07",
        person=pb.JusticePerson(given_name="rap sheet", birth_date="yesterday"),
    )
    found = wrong(draft)
    assert {
        "source.recordId",
        "source.version",
        "level",
        "time",
        "offenceTime",
        "incidentNumber",
        "person.givenName",
        "person.familyName",
        "person.birthDate",
    } <= found.keys()
    for echo in ("bad", "99", "10000000", "rap", "yesterday"):
        assert echo not in str({path: wish for path, wish in found.items() if path != "person.givenName"})


def test_of_a_deletion_only_the_source_is_read() -> None:
    assert wrong(a_deletion()) == {}
    assert set(wrong(pb.JusticeEventDraft(action=pb.JUSTICE_ACTION_DELETE))) == {"source.system", "source.recordId"}


@given(st.binary(max_size=200))
def test_no_bytes_that_make_an_event_break_the_judging_of_it(data: bytes) -> None:
    draft = pb.JusticeEventDraft()
    try:
        draft.ParseFromString(data)
    except Exception:  # noqa: BLE001 - what is no message never comes here
        return
    for each in validate.event(draft, NOW):
        assert each.path or "only fields of the contract" in each.wish


def test_a_request_is_refused_as_a_whole_with_all_that_is_wrong_with_it() -> None:
    assert refused(a_request()) == {"events"}
    assert refused(a_request(an_event(), begin=at(-1))) == {"completeThrough"}
    assert refused(a_request(an_event(), begin=at(-3), through=at(1))) == {"completeThrough"}
    assert refused(a_request(*[an_event()] * 5001, through=Timestamp(seconds=10**15))) == {"events", "completeThrough"}
    assert validate.requested(a_request(*[an_event()] * 5000), NOW) is None


@pytest.mark.parametrize(
    ("role", "kind", "may"),
    [
        ("police_rms", "police", True),
        ("police_rms", "jail", True),
        ("police_rms", "court", True),
        ("police_rms", "prosecutor", False),
        ("police_officer", "police", False),
        ("program_manager", "program_office", False),
    ],
)
def test_systems_of_police_jails_and_courts_report(role: str, kind: str, may: bool) -> None:
    caller = a_caller(role, agency_kind=kind)
    if may:
        validate.reporter(caller)
        return
    with pytest.raises(LeadError):
        validate.reporter(caller)
    assert a_reporter().role == "police_rms"
