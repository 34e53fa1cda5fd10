"""Casework on the wire."""

from __future__ import annotations

from datetime import timedelta

from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from lead.options.v1.options_pb2 import Reference
from lead.referral.v1 import referral_events_pb2, referral_pb2

from services.casework import convert, domain
from services.casework.domain import Contact, Told
from services.shared.wire import stamp
from tests.support.clock import NOON
from tests.unit.casework.builders import AGENCY, HANDOFF, POLICE, SUBJECT, TESTA, a_handoff, a_participant


def a_request() -> referral_events_pb2.HandoffRequested:
    """Return one with everything in it."""
    return referral_events_pb2.HandoffRequested(
        referral_id="ref_x",
        site_id="seattle",
        door=referral_pb2.DOOR_ARREST_DIVERSION,
        dispatch_agency_id=AGENCY,
        call_time=stamp(NOON),
        referral_time=stamp(NOON - timedelta(hours=1)),
        person=referral_pb2.Person(given_name="Testa", family_name="Sample", birth_date="1990"),
        contact=referral_pb2.Contact(phones=["206-555-0100"], address="1 Sample Street", where_found="Sample Park"),
        meet_at="Sample Corner",
        officer=referral_pb2.Officer(name="Officer Sample", serial="S1", unit="West"),
        screening_result=referral_pb2.SCREENING_RESULT_ELIGIBLE,
        screening_rules=["min_age"],
    )


def merged() -> Told:
    """Return the parts of that request put together again."""
    parts = dict(convert.request_parts(a_request()))
    facts = {name: value for part in parts.values() for name, value in part.items()}
    return Told(facts=facts, changes=dict.fromkeys(parts, NOON))


def told(reference: Reference) -> tuple[str, str, str]:
    """Return whose record it is."""
    return reference.subject_id, reference.source_agency_id, reference.record_id


def test_a_request_comes_apart_by_category() -> None:
    parts = dict(convert.request_parts(a_request()))
    assert set(parts) == {"REFERRAL", "IDENTITY", "CONTACT_LOCATION", "STAFF", "ELIGIBILITY"}
    assert parts["STAFF"] == {"officerName": "Officer Sample", "officerUnit": "West"}
    assert set(parts["CONTACT_LOCATION"]) == {"phones", "address", "whereFound", "meetAt"}


def test_a_request_put_together_again_holds_every_field_of_the_contract() -> None:
    message = convert.handoff_to_wire(a_handoff(), 30, merged())
    assert {field.name for field, _ in message.request.ListFields()} == set(pb.HandoffRequest.DESCRIPTOR.fields_by_name)
    assert message.request.screening_result == "ELIGIBLE"
    assert message.request.door == "ARREST_DIVERSION"


def test_the_handoff_is_the_agencys_record_and_the_request_in_it_the_polices() -> None:
    message = convert.handoff_to_wire(a_handoff(), 30, merged())
    assert told(message.reference) == (SUBJECT, AGENCY, HANDOFF)
    assert told(message.request.reference) == (SUBJECT, POLICE, HANDOFF)


def test_a_handoff_without_an_opened_request_has_none() -> None:
    message = convert.handoff_to_wire(a_handoff(), None, None)
    assert not message.HasField("request")
    assert not message.HasField("target_minutes")


def test_only_a_done_handoff_has_a_complete_time() -> None:
    done = convert.handoff_to_wire(domain.completed(a_handoff(state="ARRIVED"), NOON), 30, None)
    failed = convert.handoff_to_wire(domain.failed(a_handoff(), "NO_ANSWER", NOON), 30, None)
    assert done.HasField("complete_time")
    assert not failed.HasField("complete_time")
    assert failed.fail_reason == pb.FAIL_REASON_NO_ANSWER


def test_a_safety_flag_that_is_not_set_is_absent() -> None:
    assert not convert.participant_to_wire(a_participant()).HasField("safety_flag")
    assert convert.participant_to_wire(a_participant(safety_flag=True)).safety_flag


def test_an_active_participant_fills_every_field_of_the_contract() -> None:
    contact = Contact(phones=("206-555-0100",), address="1 Sample Street", where_found="Sample Park")
    whole = a_participant(contact=contact, safety_flag=True, case_manager="acc-1")
    message = convert.participant_to_wire(domain.taken_in(whole, NOON, ("HOUSING",)))
    assert {field.name for field, _ in message.ListFields()} == set(pb.Participant.DESCRIPTOR.fields_by_name)


def test_a_completion_keeps_what_was_not_said_apart_from_what_was() -> None:
    said = convert.completion_from_wire(service.CompleteHandoffRequest(participant_id="par"))
    assert (said.person, said.contact, said.safety_flag) == (None, None, False)
    person = pb.ParticipantPerson(given_name=" Testa ", family_name="Sample", birth_date="1990-05")
    assert convert.completion_from_wire(service.CompleteHandoffRequest(person=person)).person == TESTA


def test_the_confirmation_is_two_facts_and_the_first_once_more_for_those_who_count() -> None:
    message = convert.intake_confirmed(domain.taken_in(a_participant(), NOON, ("HOUSING",)))
    assert {field.name for field, _ in message.ListFields()} == {
        "intake_confirmed_time",
        "working_as_of_time",
        "study_intake_time",
    }
    assert message.study_intake_time == message.intake_confirmed_time


def test_a_provider_is_told_of_an_active_participant_in_every_field_of_the_contract() -> None:
    message = convert.participant_recorded(domain.taken_in(a_participant(), NOON, ("HOUSING",)))
    assert {field.name for field, _ in message.ListFields()} == set(type(message).DESCRIPTOR.fields_by_name)
