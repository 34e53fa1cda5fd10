"""Where an event is read, and who may be told of it at all, as the contract says it."""

from __future__ import annotations

import pytest
from lead.options.v1 import words_pb2

from gateway.feed import readings
from services.shared import labels
from services.shared.sharing.assertion import Caller

# By hand, from the contract's events: role, agency kind, purpose, event, and where it is read.
READ = [
    ("police_officer", "police", "DIVERSION_COORD", "referral", "ReferralRecorded", "/v1/referrals/rec"),
    ("prosecutor", "prosecutor", "DIVERSION_COORD", "referral", "ReferralRecorded", "/v1/referrals/rec"),
    ("prosecutor", "prosecutor", "DIVERSION_COORD", "casework", "IntakeConfirmed", "/v1/referrals/rec"),
    ("case_manager", "case_management", "CAREMGT", "casework", "IntakeConfirmed", "/v1/participants/rec"),
    ("case_manager", "case_management", "HANDOFF", "referral", "HandoffRequested", "/v1/handoffs"),
    ("case_manager", "case_management", "CAREMGT", "provider", "ServiceReferralRecorded", "/v1/serviceReferrals"),
    ("provider_staff", "housing", "CAREMGT", "provider", "EnrollmentRecorded", "/v1/enrollments/rec"),
    ("police_officer", "police", "DIVERSION_COORD", "review", "ChargeDecided", "/v1/referrals/rec"),
]
NOT_READ = [
    ("prosecutor", "prosecutor", "DIVERSION_COORD", "referral", "HandoffRequested"),
    ("police_officer", "police", "DIVERSION_COORD", "provider", "EnrollmentRecorded"),
    ("prosecutor", "prosecutor", "DIVERSION_COORD", "referral", "ReferralFollowed"),
    ("case_manager", "case_management", "CAREMGT", "casework", "StudyLinked"),
    ("case_manager", "case_management", "CAREMGT", "casework", "NoSuchEvent"),
    ("case_manager", "case_management", "CAREMGT", "nowhere", "IntakeConfirmed"),
]


def a_caller(role: str, kind: str, purpose: str) -> Caller:
    return Caller("acc_1", "agency", kind, role, purpose)


@pytest.mark.parametrize(("role", "kind", "purpose", "topic", "name", "href"), READ)
def test_an_event_is_read_where_the_role_may_read_it(
    role: str, kind: str, purpose: str, topic: str, name: str, href: str
) -> None:
    found = readings.reading(topic, name, a_caller(role, kind, purpose))
    assert found is not None
    assert found.href("rec") == href


@pytest.mark.parametrize(("role", "kind", "purpose", "topic", "name"), NOT_READ)
def test_what_the_role_reads_nowhere_is_not_told(role: str, kind: str, purpose: str, topic: str, name: str) -> None:
    assert readings.reading(topic, name, a_caller(role, kind, purpose)) is None


def test_every_event_of_the_contract_that_is_told_is_on_a_topic_that_is_read_and_has_its_readings() -> None:
    told = {
        (file.package.split(".")[1], message.name)
        for file in labels.area_files()
        for message in file.message_types_by_name.values()
        if (options := labels.event_options(message)) is not None and options.readings
    }
    assert {topic for topic, _ in told} == set(readings.topics())
    assert all(readings.readings(topic, name) for topic, name in told)


def test_the_referral_that_others_are_read_at_is_an_event_of_the_contract() -> None:
    assert readings.readings(*readings.REFERRAL)


@pytest.mark.parametrize(
    ("kind", "word"),
    [("housing", "HOUSING"), ("sud_treatment", "SUD_TREATMENT"), ("ems", "PHYSICAL_HEALTH"), ("police", "UNSPECIFIED")],
)
def test_what_an_enrolment_tells_follows_the_kind_of_its_provider(kind: str, word: str) -> None:
    number = words_pb2.Category.Value(f"CATEGORY_{word}")
    assert readings.category("provider", "EnrollmentRecorded", kind) == number


def test_what_an_event_tells_is_what_the_contract_says_whoever_sent_it() -> None:
    assert readings.category("casework", "IntakeConfirmed", "sud_treatment") == words_pb2.CATEGORY_PROGRAM_STATUS
    assert readings.category("referral", "NoSuchEvent", "police") == 0
