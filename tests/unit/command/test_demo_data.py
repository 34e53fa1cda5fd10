"""The demo's sample data: of the contract, made up, and as various as claim 1 wants it."""

from __future__ import annotations

from collections import Counter

import pytest
from google.protobuf import json_format
from lead.consent.v1.consent_pb2 import ConsentDraft
from lead.referral.v1.referral_pb2 import ReferralDraft

from services.command.demo import drafts, sample_data
from services.command.demo.story import Person

ADA = Person("Testa", "Sample-Test", "1990-01-01", "sample-recovery-outreach")
DOORS = ("ARREST_DIVERSION", "SOCIAL_CONTACT", "COMMUNITY")


@pytest.mark.parametrize("door", DOORS)
def test_a_referral_is_of_the_contract(door: str) -> None:
    draft = drafts.referral(ADA, door, None, None)
    assert json_format.MessageToDict(json_format.ParseDict(draft, ReferralDraft()))["door"] == f"DOOR_{door}"


def test_forty_different_people_are_referred_through_all_doors() -> None:
    sample = sample_data.sample()
    created = [each for each in sample.messages if each.outcome == "CREATED"]
    assert len(created) == len(sample.stands) == len({person.family_name for person in sample.people}) == 40
    assert {each.draft["door"] for each in created} == {f"DOOR_{door}" for door in DOORS}


def test_the_stream_has_every_outcome_and_every_result_of_a_screening() -> None:
    sample = sample_data.sample()
    outcomes = Counter(each.outcome for each in sample.messages)
    assert set(outcomes) == {"CREATED", "UNCHANGED", "REPLACED", "STALE", "WITHDRAWN", "REJECTED"}
    results = {each.screening for each in sample.stands.values()}
    assert results == {"PRESUMPTIVELY_INELIGIBLE", "NEEDS_INFO", "PROGRAMME_REVIEW"}


def test_every_message_has_a_name_of_its_own() -> None:
    assert max(Counter(each.key for each in sample_data.sample().messages).values()) == 1


def test_people_are_obviously_made_up_and_their_phones_belong_to_nobody() -> None:
    for person in sample_data.sample().people:
        assert person.family_name.startswith("Sample-")
        assert drafts.phone(person).startswith("+1 206 555 01")


def test_a_release_of_a_part_2_program_names_the_presence() -> None:
    for draft in (drafts.narrow_release(ADA), drafts.full_release(ADA)):
        json_format.ParseDict(draft, ConsentDraft())
        assert "CATEGORY_SUD_PRESENCE" in draft["categories"]


def test_a_release_of_another_agency_does_not_unless_a_treatment_program_is_among_its_sources() -> None:
    other = Person("Testa", "Sample-Test", "1990-01-01", "sample-outreach")
    assert "CATEGORY_SUD_PRESENCE" not in drafts.narrow_release(other)["categories"]
    full = drafts.full_release(other)
    assert "sample-treatment" in full["sourceAgencyIds"]
    assert "CATEGORY_SUD_PRESENCE" in full["categories"]


def test_the_narrow_release_opens_one_fact_for_one_office() -> None:
    draft = drafts.narrow_release(ADA)
    assert draft["recipientAgencyIds"] == [drafts.OFFICE]
    assert draft["sourceAgencyIds"] == [ADA.case_agency]
    assert draft["purposes"] == ["PURPOSE_DIVERSION_COORD"]
