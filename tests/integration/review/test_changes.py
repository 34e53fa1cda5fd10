"""When what a review says changed last, by category and by whose record it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from lead.options.v1 import options_pb2, words_pb2
from lead.review.v1 import review_pb2 as pb
from sqlalchemy import update

from services.review.models import REVIEWS
from tests.integration.review.office import Office, a_charge, a_referral
from tests.integration.review.test_deciding import _decide, _review
from tests.support.clock import NOON


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def times(reference: options_pb2.Reference) -> dict[str, datetime]:
    return {
        words_pb2.Category.Name(each.category).removeprefix("CATEGORY_"): each.time.ToDatetime(tzinfo=NOON.tzinfo)
        for each in reference.changes
    }


def begun(office: Office) -> pb.Review:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    office.clock.advance(60)
    return _review(office)


def test_a_new_review_has_one_time_in_every_category(office: Office) -> None:
    review = begun(office)
    assert times(review.reference) == {"DECISION": NOON, "PROSECUTOR_WORK_PRODUCT": NOON}
    assert [times(each.referred.reference) for each in review.charges] == [{"CHARGE": NOON}] * 2


def test_a_decision_without_a_reason_moves_the_public_outcome_alone(office: Office) -> None:
    review = _decide(office, begun(office), pb.DECISION_VALUE_FILE)
    assert times(review.reference) == {"DECISION": later(1), "PROSECUTOR_WORK_PRODUCT": NOON}
    assert times(review.charges[0].referred.reference) == {"CHARGE": NOON}
    assert _review(office) == review


def test_a_reason_moves_the_work_product_too(office: Office) -> None:
    review = _decide(office, begun(office), pb.DECISION_VALUE_DIVERT_REJECT, note="Made up for a test.")
    assert times(review.reference) == {"DECISION": later(1), "PROSECUTOR_WORK_PRODUCT": later(1)}


def test_what_police_correct_moves_the_time_of_their_own_record(office: Office) -> None:
    begun(office)
    office.tell(a_referral(a_charge("chg_1", description="Theft"), a_charge("chg_2")), version=2)
    one, other = _review(office).charges
    assert times(one.referred.reference) == {"CHARGE": later(1)}
    assert times(other.referred.reference) == {"CHARGE": NOON}
    assert times(_review(office).reference) == {"DECISION": NOON, "PROSECUTOR_WORK_PRODUCT": NOON}


def test_a_confirmation_has_the_time_at_which_it_was_opened(office: Office) -> None:
    before = begun(office)
    office.confirm()
    review = _review(office)
    assert times(review.confirmation.reference) == {"PROGRAM_STATUS": later(1)}
    assert review.reference == before.reference


def test_what_the_release_before_wrote_counts_as_changed_as_a_whole(office: Office) -> None:
    begun(office)
    with office.db.write() as connection:
        connection.execute(update(REVIEWS).values(changes=None, updated_at=later(7)))
    assert set(times(_review(office).reference).values()) == {later(7)}
