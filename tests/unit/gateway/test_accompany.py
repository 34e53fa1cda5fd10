"""What goes with a disclosure: the notice, and the scope of each release relied on (42 CFR 2.32)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.consent.v1 import consent_service_pb2
from lead.options.v1 import words_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from gateway.accompany import NOTICE, NOTICE_VERSION, accompany
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON


def relying_on(consent_id: str, version: int = 1, **fields: Any) -> consent.Ruling:
    return consent.Ruling(row=15, rule="consent", consent_id=consent_id, consent_version=version, **fields)


ALLOWED = consent.Ruling(row=4, rule="allow", law="state records law")


def test_the_notice_is_the_second_statement_in_the_words_of_2024() -> None:
    """P2-60: 42 CFR 2.32(a)(2)."""
    assert NOTICE == "42 CFR part 2 prohibits unauthorized use or disclosure of these records."


def test_a_disclosure_by_release_carries_notice_and_scope() -> None:
    """P2-62."""
    answer = pb.GetReferralResponse()
    ruling = relying_on(
        "con_1",
        consent_categories=[words_pb2.CATEGORY_PROGRAM_STATUS],
        consent_purposes=[words_pb2.PURPOSE_DIVERSION_COORD],
    )
    ruling.consent_expire_time.FromDatetime(NOON)
    accompany(answer, "prosecutor", [ALLOWED, ruling])
    beside = answer.accompaniment
    assert (beside.notice, beside.notice_version) == (NOTICE, NOTICE_VERSION)
    [scope] = beside.consents
    assert (scope.ref, scope.scope.recipient_agency_id) == ("con_1", "prosecutor")
    assert list(scope.scope.categories) == [words_pb2.CATEGORY_PROGRAM_STATUS]
    assert list(scope.scope.purposes) == [words_pb2.PURPOSE_DIVERSION_COORD]
    assert scope.scope.expire_time.ToDatetime(UTC) == NOON


def test_a_release_without_an_end_has_none_in_its_scope() -> None:
    answer = pb.GetReferralResponse()
    accompany(answer, "prosecutor", [relying_on("con_1")])
    assert not answer.accompaniment.consents[0].scope.HasField("expire_time")


def test_each_release_is_named_once_in_a_stable_order() -> None:
    answer = pb.GetReferralResponse()
    accompany(answer, "prosecutor", [relying_on("con_2"), relying_on("con_1"), relying_on("con_2")])
    assert [one.ref for one in answer.accompaniment.consents] == ["con_1", "con_2"]


@pytest.mark.parametrize("relied_on", [[], [ALLOWED]])
def test_where_no_release_is_relied_on_nothing_goes_along(relied_on: list[consent.Ruling]) -> None:
    answer = pb.GetReferralResponse()
    answer.accompaniment.notice = "what an area put there"
    accompany(answer, "prosecutor", relied_on)
    assert not answer.HasField("accompaniment")


def test_what_an_area_put_there_is_replaced() -> None:
    answer = pb.GetReferralResponse()
    answer.accompaniment.consents.add(ref="con_canary")
    accompany(answer, "prosecutor", [relying_on("con_1")])
    assert [one.ref for one in answer.accompaniment.consents] == ["con_1"]


def test_an_answer_that_must_be_accompanied_and_cannot_does_not_leave() -> None:
    """P2-63."""
    answer = consent_service_pb2.GetMeResponse()
    with pytest.raises(LeadError) as refused:
        accompany(answer, "prosecutor", [relying_on("con_1")])
    assert (refused.value.code, refused.value.reason) == (Code.INTERNAL, "ACCOMPANIMENT_MISSING")
    accompany(answer, "prosecutor", [ALLOWED])
