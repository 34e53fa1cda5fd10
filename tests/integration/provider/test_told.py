"""What casework tells of a participant, for the provider that is asked for him (matrix row 11)."""

from __future__ import annotations

from lead.casework.v1 import casework_pb2
from lead.options.v1 import words_pb2

from services.shared.wire import stamp
from tests.integration.provider.house import House, a_case_manager, a_provider
from tests.unit.provider.builders import HOUSING, OUTREACH, TREATMENT

IDENTITY, NEEDS = words_pb2.CATEGORY_IDENTITY, words_pb2.CATEGORY_NEEDS
PROGRAM_STATUS = words_pb2.CATEGORY_PROGRAM_STATUS


def test_the_addressed_provider_sees_what_was_opened_for_it_as_the_asking_agencys_records(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person)
    seen = house.seen(asked.id, a_provider())
    assert (seen.person.given_name, seen.person.birth_date) == ("Testa", "1990-05")
    assert list(seen.told.needs) == [casework_pb2.NEED_TREATMENT]
    assert seen.status.HasField("intake_confirmed_time")
    for part, category in ((seen.person, IDENTITY), (seen.told, NEEDS), (seen.status, PROGRAM_STATUS)):
        reference = part.reference
        assert (reference.subject_id, reference.source_agency_id, reference.record_id) == (
            person.subject_id,
            OUTREACH,
            asked.id,
        )
        assert [each.category for each in reference.changes] == [category]


def test_nobody_else_is_shown_it_not_even_who_asked(house: House) -> None:
    person = house.a_person(releases_to=(TREATMENT, HOUSING, OUTREACH))
    asked = house.asked(person)
    beds = house.asked(person, house.a_service(HOUSING))
    house.told(person)
    assert not house.seen(asked.id, a_case_manager()).HasField("person")
    assert not house.seen(beds.id, a_provider(HOUSING)).HasField("person")


def test_each_category_is_kept_as_it_was_opened(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person, categories=[NEEDS])
    seen = house.seen(asked.id, a_provider())
    assert not seen.HasField("person")
    assert seen.HasField("told")
    house.told(person, categories=[IDENTITY])
    assert house.seen(asked.id, a_provider()).person.family_name == "Sample"


def test_an_older_version_never_takes_the_place_of_a_newer_one(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person, version=3, given_name="Testa Newer")
    house.told(person, version=2, given_name="Testa Older")
    assert house.seen(asked.id, a_provider()).person.given_name == "Testa Newer"


def test_what_another_agency_told_is_not_for_this_referral(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person, source="sample-second-outreach")
    assert not house.seen(asked.id, a_provider()).HasField("person")


def test_a_version_that_changes_one_category_does_not_show_in_another(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person)
    before = house.seen(asked.id, a_provider())
    house.clock.advance(60)
    since = stamp(house.clock.now())
    house.clock.advance(60)
    house.told(person, version=2, needs=[casework_pb2.NEED_HOUSING])
    (after,) = house.referrals(a_provider(), updated_after=since)
    assert after.person.reference.changes == before.person.reference.changes
    assert after.told.reference.changes != before.told.reference.changes


def test_what_is_opened_later_shows_in_lists_by_time_of_change(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    since = stamp(house.clock.now())
    assert house.referrals(a_provider(), updated_after=since) == []
    house.clock.advance(3600)
    house.told(person)
    assert [each.id for each in house.referrals(a_provider(), updated_after=since)] == [asked.id]


def test_a_move_answers_with_what_was_told(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person)
    assert house.move("Offer", asked, a_provider()).person.family_name == "Sample"
