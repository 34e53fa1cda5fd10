"""Decisions on charges: who may, in which order it is checked, what is frozen, sealed and made known."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from lead.referral.v1.referral_events_pb2 import ReferralWithdrawn
from lead.review.v1 import review_pb2 as pb
from lead.review.v1 import review_service_pb2 as service
from sqlalchemy import select

from services.review.models import DECISIONS
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from tests.integration.review.office import (
    CASE_MANAGERS,
    OFFICE,
    OTHER_PROSECUTOR,
    POLICE,
    PROSECUTOR,
    Office,
    a_charge,
    a_referral,
)
from tests.support.clock import NOON

_FINAL = [
    (pb.DECISION_VALUE_DIVERT_CONFIRM, pb.CHARGE_STATE_DIVERTED),
    (pb.DECISION_VALUE_DIVERT_REJECT, pb.CHARGE_STATE_RETURNED),
    (pb.DECISION_VALUE_FILE, pb.CHARGE_STATE_FILED),
    (pb.DECISION_VALUE_DECLINE_TO_FILE, pb.CHARGE_STATE_DECLINED),
]
_OPEN = [
    (pb.DECISION_VALUE_DEFER_UNTIL, pb.CHARGE_STATE_DEFERRED),
    (pb.DECISION_VALUE_COORDINATE_RELATED_CASE, pb.CHARGE_STATE_HELD),
]


def _review(office: Office, place: int = 0) -> pb.Review:
    with office.calling():
        return office.servicer.ListReviews(service.ListReviewsRequest(), None).reviews[place]  # type: ignore[arg-type]


def _decide(
    office: Office, review: pb.Review, value: int, caller: Caller = PROSECUTOR, charge_id: str = "chg_1", **beside: Any
) -> pb.Review:
    asked: dict[str, Any] = {"id": review.id, "charge_id": charge_id, "decision": value, "etag": review.etag}
    request = service.DecideChargeRequest(**{**asked, **beside})
    if value == pb.DECISION_VALUE_DIVERT_REJECT and not request.reason:
        request.reason = pb.REJECT_REASON_PUBLIC_SAFETY
    if value == pb.DECISION_VALUE_DEFER_UNTIL:
        request.defer_until.FromDatetime(office.clock.now() + timedelta(days=14))
    with office.calling(caller):
        return office.servicer.DecideCharge(request, None).review  # type: ignore[arg-type]


def _refused(office: Office, *asked: Any, **beside: Any) -> LeadError:
    with pytest.raises(LeadError) as refused:
        _decide(office, *asked, **beside)
    return refused.value


def _basis(office: Office) -> tuple[dict[str, Any], str, str]:
    """Return the newest basis, its digest, and the text that was hashed."""
    with office.db.read() as connection:
        row = connection.execute(select(DECISIONS).order_by(DECISIONS.c.number.desc())).mappings().first()
    assert row is not None
    return json.loads(row["basis"]), row["basis_digest"], row["basis"]


@pytest.mark.parametrize(("value", "state"), _FINAL + _OPEN)
def test_a_decision_is_shown_and_made_known(office: Office, value: int, state: int) -> None:
    office.tell(a_referral())
    before = _review(office)
    after = _decide(office, before, value, note="seen")
    charge = after.charges[0]
    assert (charge.state, charge.decision.value, charge.decision.note) == (state, value, "seen")
    assert after.etag != before.etag
    assert after == _review(office)
    [fact] = office.facts
    assert (fact.record_id, fact.subject_id, fact.source_agency_id, fact.version) == ("chg_1", "sub_1", OFFICE, 1)
    [told] = office.decided()
    assert (told.referral_id, told.charge_id, told.value, told.office_id) == ("ref_1", "chg_1", value, OFFICE)


def test_what_is_made_known_holds_neither_reason_nor_note(office: Office) -> None:
    office.tell(a_referral())
    _decide(office, _review(office), pb.DECISION_VALUE_DIVERT_REJECT, reason=pb.REJECT_REASON_VICTIM, note="secret")
    names = {field.name for field, _ in office.decided()[0].ListFields()}
    assert names == {"referral_id", "charge_id", "office_id", "value", "decided_time"}


@pytest.mark.parametrize(("value", "_state"), _FINAL)
def test_what_is_decided_is_not_decided_again(office: Office, value: int, _state: int) -> None:
    office.tell(a_referral())
    _decide(office, _review(office), value)
    refused = _refused(office, _review(office), pb.DECISION_VALUE_FILE)
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "ILLEGAL_MOVE")
    assert len(office.facts) == 1


@pytest.mark.parametrize(("value", "_state"), _OPEN)
def test_what_was_put_off_is_decided_later_under_the_next_version(office: Office, value: int, _state: int) -> None:
    office.tell(a_referral())
    _decide(office, _review(office), value)
    after = _decide(office, _review(office), pb.DECISION_VALUE_DIVERT_CONFIRM)
    assert after.state == pb.REVIEW_STATE_DECIDED
    assert [fact.version for fact in office.facts] == [1, 2]


def test_a_second_reviewer_with_the_old_etag_is_refused(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    read = _review(office)
    _decide(office, read, pb.DECISION_VALUE_FILE)
    assert _refused(office, read, pb.DECISION_VALUE_FILE, charge_id="chg_2").code is Code.ABORTED
    assert _refused(office, read, pb.DECISION_VALUE_FILE).code is Code.ABORTED


def test_two_decisions_at_once_leave_one(office: Office) -> None:
    office.tell(a_referral())
    review = _review(office)
    commit = office.servicer._desk.commit

    def slower(facts: Any, write: Any) -> Any:
        object.__setattr__(office.servicer._desk, "commit", commit)
        _decide(office, review, pb.DECISION_VALUE_FILE)
        return commit(facts, write)

    object.__setattr__(office.servicer._desk, "commit", slower)
    assert _refused(office, review, pb.DECISION_VALUE_DIVERT_CONFIRM).code is Code.ABORTED
    assert _review(office).charges[0].state == pb.CHARGE_STATE_FILED


def test_visibility_is_checked_before_the_etag(office: Office) -> None:
    office.tell(a_referral())
    review = _review(office)
    refused = _refused(office, review, pb.DECISION_VALUE_FILE, OTHER_PROSECUTOR, etag="stale")
    assert refused.code is Code.NOT_FOUND
    assert _refused(office, review, pb.DECISION_VALUE_FILE, charge_id="chg_9", etag="stale").code is Code.NOT_FOUND


def test_nothing_is_decided_on_a_withdrawn_referral(office: Office) -> None:
    office.tell(a_referral())
    message = ReferralWithdrawn()
    message.withdrawn_time.FromDatetime(NOON)
    office.tell(message, version=2)
    assert _refused(office, _review(office), pb.DECISION_VALUE_FILE).reason == "ILLEGAL_MOVE"


def test_a_decision_is_possible_after_the_clock_has_run_out(office: Office) -> None:
    office.tell(a_referral())
    office.clock.advance(31 * 24 * 3600)
    assert _decide(office, _review(office), pb.DECISION_VALUE_FILE).state == pb.REVIEW_STATE_DECIDED


def test_the_basis_holds_each_fact_with_its_source_and_the_consent(office: Office) -> None:
    office.tell(a_referral())
    office.confirm()
    after = _decide(office, _review(office), pb.DECISION_VALUE_DIVERT_CONFIRM)
    content, digest, text = _basis(office)
    assert digest == hashlib.sha256(text.encode()).hexdigest() == after.charges[0].decision.basis_digest
    assert {part["category"]: part["sourceAgencyId"] for part in content["parts"]} == {
        "REFERRAL": POLICE,
        "CHARGE": POLICE,
        "ELIGIBILITY": POLICE,
        "PROGRAM_STATUS": CASE_MANAGERS,
    }
    assert content["parts"][-1]["consent"] == {"id": "con_1", "version": 3}


def test_the_basis_stays_as_it_was_when_the_referral_changes(office: Office) -> None:
    office.tell(a_referral())
    decided = _decide(office, _review(office), pb.DECISION_VALUE_FILE)
    before = _basis(office)
    office.tell(a_referral(a_charge("chg_1", statute="RCW 1"), a_charge("chg_2")), version=2)
    after = _review(office)
    assert _basis(office) == before
    assert after.charges[0] == decided.charges[0]
    assert after.state == pb.REVIEW_STATE_OPEN


def test_a_decided_charge_stays_without_its_source_record_when_that_is_taken_back(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    _decide(office, _review(office), pb.DECISION_VALUE_FILE)
    office.tell(a_referral(a_charge("chg_2")), version=2)
    first = _review(office).charges[0]
    assert (first.charge_id, first.state) == ("chg_1", pb.CHARGE_STATE_FILED)
    assert not first.HasField("referred")


def test_versions_of_a_charge_rise_over_a_withdrawal_of_it(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    _decide(office, _review(office), pb.DECISION_VALUE_DEFER_UNTIL)
    office.tell(a_referral(a_charge("chg_2")), version=2)
    office.tell(a_referral(a_charge("chg_1"), a_charge("chg_2")), version=3)
    _decide(office, _review(office), pb.DECISION_VALUE_FILE)
    assert [fact.version for fact in office.facts] == [1, 2]


def test_a_confirmation_does_not_make_an_etag_stale(office: Office) -> None:
    office.tell(a_referral())
    review = _review(office)
    office.confirm()
    assert _decide(office, review, pb.DECISION_VALUE_DIVERT_CONFIRM).state == pb.REVIEW_STATE_DECIDED


def test_work_product_and_basis_are_not_readable_on_disk(office: Office) -> None:
    office.tell(a_referral(a_charge("chg_1", statute="CANARY 1.2")))
    office.confirm()
    _decide(office, _review(office), pb.DECISION_VALUE_DIVERT_REJECT, note="canary of a note")
    with office.db.write() as connection:
        raw = connection.exec_driver_sql("SELECT reason, note, basis FROM decisions").one()
    assert all(isinstance(column, bytes) for column in raw)
    assert not any(
        word in bytes(column) for column in raw for word in (b"canary", b"CANARY", b"PUBLIC_SAFETY", b"con_1")
    )


def test_nothing_is_stored_when_no_keys_can_be_had(office: Office) -> None:
    office.tell(a_referral())
    review = _review(office)

    def away(_facts: Any, _write: Any) -> Any:
        raise LeadError(Code.UNAVAILABLE, "UNAVAILABLE", "away")

    object.__setattr__(office.servicer._desk, "commit", away)
    assert _refused(office, review, pb.DECISION_VALUE_FILE).code is Code.UNAVAILABLE
    assert _review(office) == review
