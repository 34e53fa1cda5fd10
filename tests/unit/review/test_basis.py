"""What a decision rests on, frozen."""

from __future__ import annotations

import hashlib
import json

from services.review.basis import Confirmation, frozen
from tests.support.clock import NOON
from tests.unit.review.builders import OFFICE, POLICE, REFERRAL, SUBJECT, a_review

CM = "sample-case-management"


def _received() -> Confirmation:
    return Confirmation(
        subject_id=SUBJECT,
        office_id=OFFICE,
        agency_id=CM,
        version=7,
        intake_confirmed_at=NOON,
        working_as_of=None,
        consent_id="con_sample",
        consent_version=2,
        received_at=NOON,
    )


def test_each_part_of_a_basis_keeps_its_category_and_source() -> None:
    review = a_review()
    content = json.loads(frozen("bas_1", review, review.charges[0], _received(), NOON).text)
    assert [(part["category"], part["sourceAgencyId"]) for part in content["parts"]] == [
        ("REFERRAL", POLICE),
        ("CHARGE", POLICE),
        ("ELIGIBILITY", POLICE),
        ("PROGRAM_STATUS", CM),
    ]
    assert content["referral"] == {"id": REFERRAL, "version": 1}


def test_a_basis_names_the_consent_that_its_confirmation_was_received_under() -> None:
    review = a_review()
    content = json.loads(frozen("bas_1", review, review.charges[0], _received(), NOON).text)
    assert content["parts"][-1]["consent"] == {"id": "con_sample", "version": 2}
    assert content["parts"][-1]["facts"] == {"intakeConfirmedTime": NOON.isoformat()}


def test_a_basis_without_a_confirmation_does_not_mention_one() -> None:
    review = a_review(screening=None)
    text = frozen("bas_1", review, review.charges[0], None, NOON).text
    assert [part["category"] for part in json.loads(text)["parts"]] == ["REFERRAL", "CHARGE"]
    assert "consent" not in text


def test_the_digest_is_the_sha_256_of_the_text() -> None:
    review = a_review()
    basis = frozen("bas_1", review, review.charges[0], None, NOON)
    assert basis.digest == hashlib.sha256(basis.text.encode()).hexdigest()


def test_equal_facts_do_not_give_equal_digests() -> None:
    review = a_review()
    digests = {frozen(each, review, review.charges[0], None, NOON).digest for each in ("bas_1", "bas_2")}
    assert len(digests) == 2
