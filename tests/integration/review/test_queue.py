"""The queue of an office: order, pages, filters, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from lead.review.v1 import review_pb2 as pb
from lead.review.v1 import review_service_pb2 as service

from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from tests.integration.review.office import (
    DUE,
    OFFICE,
    OTHER_PROSECUTOR,
    PROSECUTOR,
    Office,
    a_charge,
    a_referral,
)
from tests.support.clock import NOON


def _fill(office: Office, *days: int | None) -> None:
    for place, day in enumerate(days):
        due = None if day is None else NOON + timedelta(days=day)
        charge = a_charge(f"chg_{place}")
        office.tell(a_referral(charge, due=due), f"ref_{place}", subject_id=f"sub_{place}")


def _list(office: Office, caller: Caller = PROSECUTOR, **asked: Any) -> service.ListReviewsResponse:
    with office.calling(caller):
        return office.servicer.ListReviews(service.ListReviewsRequest(**asked), None)  # type: ignore[arg-type]


def _referrals(answer: service.ListReviewsResponse) -> list[str]:
    return [review.referral_id for review in answer.reviews]


def _decide(office: Office, review: pb.Review, value: pb.DecisionValue.ValueType) -> None:
    request = service.DecideChargeRequest(
        id=review.id, charge_id=review.charges[0].charge_id, decision=value, etag=review.etag
    )
    with office.calling():
        office.servicer.DecideCharge(request, None)  # type: ignore[arg-type]


def test_the_queue_is_by_due_time_and_what_has_no_clock_comes_last(office: Office) -> None:
    _fill(office, 9, None, 3, 30)
    assert _referrals(_list(office)) == ["ref_2", "ref_0", "ref_3", "ref_1"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_pages_together_are_the_whole_queue(office: Office, size: int) -> None:
    _fill(office, 9, None, 3, 9, 9)
    whole, token = [], ""
    while True:
        answer = _list(office, page_size=size, page_token=token)
        assert len(answer.reviews) <= size
        whole += _referrals(answer)
        token = answer.next_page_token
        if not token:
            break
    assert whole == _referrals(_list(office))
    assert sorted(whole) == [f"ref_{place}" for place in range(5)]


def test_due_before_leaves_out_what_is_due_then_or_later(office: Office) -> None:
    _fill(office, 3, 9, None)
    request = service.ListReviewsRequest()
    request.due_before.FromDatetime(NOON + timedelta(days=9))
    assert _referrals(_list(office, due_before=request.due_before)) == ["ref_0"]


def test_the_states_divide_the_queue_as_the_reviews_say(office: Office) -> None:
    _fill(office, 3, 9, 12, None, 2)
    by_referral = {review.referral_id: review for review in _list(office).reviews}
    _decide(office, by_referral["ref_1"], pb.DECISION_VALUE_FILE)
    _decide(office, by_referral["ref_4"], pb.DECISION_VALUE_COORDINATE_RELATED_CASE)
    office.clock.advance(10 * 24 * 3600)
    found = {state: _list(office, state=state).reviews for state in pb.ReviewState.values()[1:]}
    assert all(review.state == state for state, reviews in found.items() for review in reviews)
    assert {state: [review.referral_id for review in reviews] for state, reviews in found.items()} == {
        pb.REVIEW_STATE_OPEN: ["ref_2", "ref_3"],
        pb.REVIEW_STATE_RUN_OUT: ["ref_4", "ref_0"],
        pb.REVIEW_STATE_DECIDED: ["ref_1"],
        pb.REVIEW_STATE_WITHDRAWN: [],
    }


def test_a_review_runs_out_at_its_due_time_and_not_before(office: Office) -> None:
    office.tell(a_referral())
    office.clock.advance((DUE - NOON).total_seconds() - 1)
    assert _list(office).reviews[0].state == pb.REVIEW_STATE_OPEN
    office.clock.advance(1)
    assert _list(office).reviews[0].state == pb.REVIEW_STATE_RUN_OUT
    assert len(_list(office, state=pb.REVIEW_STATE_RUN_OUT).reviews) == 1


def test_a_confirmation_does_not_move_a_review_in_the_queue(office: Office) -> None:
    _fill(office, 9, 3, 12)
    before = _referrals(_list(office))
    office.confirm(subject_id="sub_0")
    office.clock.advance(40 * 24 * 3600)
    assert _referrals(_list(office)) == before
    assert len(_list(office, state=pb.REVIEW_STATE_RUN_OUT).reviews) == 3


@pytest.mark.parametrize(
    "caller",
    [
        OTHER_PROSECUTOR,
        Caller("acc_1", OFFICE, "police", "police_officer", "DIVERSION_COORD"),
        Caller("acc_1", OFFICE, "prosecutor", "program_manager", "DIVERSION_COORD"),
        Caller("acc_1", "", "", "participant", "PATRQT", participant_id="par_1"),
    ],
)
def test_nobody_outside_the_office_sees_a_review(office: Office, caller: Caller) -> None:
    office.tell(a_referral())
    review_id = _list(office).reviews[0].id
    assert not _list(office, caller).reviews
    with office.calling(caller), pytest.raises(LeadError) as refused:
        office.servicer.GetReview(service.GetReviewRequest(id=review_id), None)  # type: ignore[arg-type]
    assert refused.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("review_id", ["", "rev_", "ref_1", "rev_0198c1e2-0000-7000-8000-000000000000", "\0"])
def test_an_id_that_is_none_is_not_found(office: Office, review_id: str) -> None:
    with office.calling(), pytest.raises(LeadError) as refused:
        office.servicer.GetReview(service.GetReviewRequest(id=review_id), None)  # type: ignore[arg-type]
    assert refused.value.code is Code.NOT_FOUND


def test_one_review_is_shown_as_in_the_queue(office: Office) -> None:
    office.tell(a_referral())
    listed = _list(office).reviews[0]
    with office.calling():
        answer = office.servicer.GetReview(service.GetReviewRequest(id=listed.id), None)  # type: ignore[arg-type]
    assert answer.review == listed
