"""Reviews that follow what police and case managers tell: late, twice, in parts, out of order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lead.options.v1 import words_pb2
from lead.referral.v1.referral_events_pb2 import ReferralWithdrawn
from lead.review.v1 import review_pb2 as pb
from lead.review.v1 import review_service_pb2 as service
from sqlalchemy import select

from services.review.models import METADATA
from services.shared.events.split import Part
from services.shared.sharing.assertion import Caller
from tests.integration.review.office import (
    DUE,
    OFFICE,
    OTHER_OFFICE,
    OTHER_PROSECUTOR,
    POLICE,
    PROSECUTOR,
    Office,
    a_charge,
    a_referral,
)

_CHARGE, _REFERRAL = words_pb2.CATEGORY_CHARGE, words_pb2.CATEGORY_REFERRAL


def _reviews(office: Office, caller: Caller = PROSECUTOR) -> list[pb.Review]:
    with office.calling(caller):
        return list(office.servicer.ListReviews(service.ListReviewsRequest(), None).reviews)  # type: ignore[arg-type]


def _charges(review: pb.Review) -> list[str]:
    return [charge.charge_id for charge in review.charges]


def _withdrawn() -> ReferralWithdrawn:
    message = ReferralWithdrawn()
    message.withdrawn_time.FromDatetime(DUE)
    return message


def test_each_office_reviews_its_own_charges(office: Office) -> None:
    referral = a_referral(a_charge("chg_1"), a_charge("chg_2", OTHER_OFFICE), a_charge("chg_3"))
    office.tell(referral, agencies=(OFFICE, OTHER_OFFICE))
    assert [_charges(each) for each in _reviews(office)] == [["chg_1", "chg_3"]]
    assert [_charges(each) for each in _reviews(office, OTHER_PROSECUTOR)] == [["chg_2"]]


def test_an_office_that_the_event_was_not_opened_for_has_no_review(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2", OTHER_OFFICE)), agencies=(OFFICE,))
    assert _reviews(office, OTHER_PROSECUTOR) == []


def test_a_review_shows_what_police_sent_as_theirs(office: Office) -> None:
    office.tell(a_referral(a_charge(description="Theft")))
    review = _reviews(office)[0]
    assert (review.referral_id, review.office_id) == ("ref_1", OFFICE)
    assert (review.reference.source_agency_id, review.reference.record_id) == (OFFICE, "ref_1")
    referred = review.charges[0].referred
    assert (referred.reference.source_agency_id, referred.reference.subject_id) == (POLICE, "sub_1")
    assert (referred.statute, referred.description, referred.level) == ("RCW 9A.56.050", "Theft", "GROSS_MISDEMEANOR")
    assert review.due_time.ToDatetime() == DUE.replace(tzinfo=None)


@pytest.mark.parametrize("door", ["SOCIAL_CONTACT", "COMMUNITY"])
def test_a_door_without_charges_at_stake_makes_no_review(office: Office, door: str) -> None:
    office.tell(a_referral(due=None, door=door))
    assert _reviews(office) == []


@pytest.mark.parametrize("first", [_CHARGE, _REFERRAL])
def test_sections_that_are_opened_one_after_the_other_make_one_review(office: Office, first: int) -> None:
    def is_first(part: Part) -> bool:
        return part.category == first

    office.tell(a_referral(), only=is_first)
    assert _reviews(office) == []
    office.tell(a_referral(), only=lambda part: not is_first(part), late=True)
    assert [_charges(each) for each in _reviews(office)] == [["chg_1"]]


def test_a_charge_that_is_opened_late_joins_its_review(office: Office) -> None:
    referral = a_referral(a_charge("chg_1"), a_charge("chg_2"))
    office.tell(referral, only=lambda part: part.record_id != "chg_2")
    office.tell(referral, only=lambda part: part.record_id == "chg_2", late=True)
    assert [_charges(each) for each in _reviews(office)] == [["chg_1", "chg_2"]]


def test_an_event_that_comes_twice_changes_nothing(office: Office) -> None:
    office.tell(a_referral())
    before = _reviews(office)
    office.clock.advance(60)
    office.tell(a_referral())
    assert _reviews(office) == before


def test_an_older_version_changes_nothing(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_2")), version=2)
    before = _reviews(office)
    office.tell(a_referral(a_charge("chg_1")), version=1)
    assert _reviews(office) == before


def test_a_newer_version_changes_the_charges_and_the_etag(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    before = _reviews(office)[0]
    office.tell(a_referral(a_charge("chg_2", statute="RCW 9A.52.080"), due=DUE + timedelta(days=1)), version=2)
    after = _reviews(office)[0]
    assert after.id == before.id
    assert after.etag != before.etag
    assert [charge.referred.statute for charge in after.charges] == ["RCW 9A.52.080"]
    assert after.due_time.ToDatetime() == (DUE + timedelta(days=1)).replace(tzinfo=None)


def test_a_charge_that_went_to_another_office_leaves_the_first_one(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    moved = a_referral(a_charge("chg_1", OTHER_OFFICE), a_charge("chg_2", OTHER_OFFICE))
    office.tell(moved, version=2, agencies=(OTHER_OFFICE,))
    assert [(_charges(each), each.state) for each in _reviews(office)] == [([], pb.REVIEW_STATE_WITHDRAWN)]
    assert [_charges(each) for each in _reviews(office, OTHER_PROSECUTOR)] == [["chg_1", "chg_2"]]


def test_a_withdrawn_referral_ends_its_review_and_a_later_version_opens_it_again(office: Office) -> None:
    office.tell(a_referral())
    office.tell(_withdrawn(), version=2)
    assert _reviews(office)[0].state == pb.REVIEW_STATE_WITHDRAWN
    office.tell(a_referral(), version=3)
    assert _reviews(office)[0].state == pb.REVIEW_STATE_OPEN


def test_a_withdrawal_that_is_opened_first_lets_no_review_begin(office: Office) -> None:
    office.tell(_withdrawn(), version=2)
    office.tell(a_referral(), version=1)
    assert _reviews(office) == []


@pytest.mark.parametrize("confirmed_first", [True, False])
def test_a_confirmation_is_shown_whether_it_came_before_or_after_the_review(
    office: Office, confirmed_first: bool
) -> None:
    if confirmed_first:
        office.confirm()
    office.tell(a_referral())
    if not confirmed_first:
        office.confirm()
    confirmation = _reviews(office)[0].confirmation
    assert confirmation.reference.source_agency_id == "sample-case-management"
    assert confirmation.reference.record_id == "ref_1"
    assert confirmation.HasField("intake_confirmed_time")


def test_a_confirmation_is_for_the_offices_that_it_was_opened_for(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2", OTHER_OFFICE)), agencies=(OFFICE, OTHER_OFFICE))
    office.confirm(agencies=(OTHER_OFFICE,))
    assert not _reviews(office)[0].HasField("confirmation")
    assert _reviews(office, OTHER_PROSECUTOR)[0].HasField("confirmation")


def test_a_confirmation_of_somebody_else_is_not_shown(office: Office) -> None:
    office.tell(a_referral())
    office.confirm(subject_id="sub_2")
    assert not _reviews(office)[0].HasField("confirmation")


def test_an_older_confirmation_does_not_replace_a_newer_one(office: Office) -> None:
    office.tell(a_referral())
    office.confirm(version=5)
    newer = _reviews(office)[0].confirmation
    office.confirm(version=4)
    assert _reviews(office)[0].confirmation == newer


def test_a_confirmation_changes_nothing_else_of_the_review(office: Office) -> None:
    office.tell(a_referral())
    before = _reviews(office)[0]
    office.clock.advance(60)
    office.confirm()
    after = _reviews(office)[0]
    after.ClearField("confirmation")
    assert after == before


def test_name_narrative_and_victim_are_not_kept(office: Office) -> None:
    office.tell(a_referral())
    with office.db.read() as connection:
        stored = [str(row) for table in METADATA.sorted_tables for row in connection.execute(select(table))]
    assert not [row for row in stored if "Testa" in row or "made-up" in row]
