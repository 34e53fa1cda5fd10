"""Custody: which area may open what, for whom. The numbers are those of architecture section 6."""

from __future__ import annotations

import pytest

from services.consent.custody import CUSTODY, Duty, topics
from services.shared.sharing.purposes import ALLOWED, MATRIX_ROLES
from tests.unit.consent.policy_asking import the_policy

PROMISED = {
    ("review", "prosecutor"): ({4, 15, 20, 40}, "DIVERSION_COORD"),
    ("referral", "police"): ({5, 15, 20}, "DIVERSION_COORD"),
    ("referral", "program_office"): ({7, 15, 20}, "DIVERSION_COORD"),
    ("referral", "defender"): ({15, 20}, "DIVERSION_COORD"),
    ("casework", "case_management"): ({9}, "HANDOFF"),
}
DUTIES = [(area, duty) for area, duties in CUSTODY.items() for duty in duties]


def test_custody_is_what_was_promised_and_no_more() -> None:
    assert {(area, duty.agency_kind): (set(duty.rows), duty.purpose) for area, duty in DUTIES} == PROMISED


def test_each_area_opens_what_others_publish_and_never_its_own() -> None:
    assert topics("review") == {"referral", "casework"}
    assert topics("referral") == {"review", "casework"}
    assert topics("casework") == {"referral"}
    assert topics("gateway") == topics("audit") == topics("") == frozenset()


@pytest.mark.parametrize(("area", "duty"), DUTIES, ids=lambda one: getattr(one, "agency_kind", one))
def test_a_duty_acts_in_a_role_that_its_agencies_have_for_a_purpose_that_the_role_may_use(
    area: str, duty: Duty
) -> None:
    role, kind, purpose = duty.matrix_role, duty.agency_kind, duty.purpose
    assert role in {matrix for (_, known), matrix in MATRIX_ROLES.items() if known == kind}
    assert purpose in ALLOWED[role]
    assert duty.reason


@pytest.mark.parametrize(("area", "duty"), DUTIES, ids=lambda one: getattr(one, "agency_kind", one))
def test_a_duty_rests_on_rows_that_speak_of_its_role(area: str, duty: Duty) -> None:
    rows = {row.number: row for row in the_policy().rows}
    for number in duty.rows:
        assert duty.matrix_role in rows[number].grid["principal"]
        assert rows[number].rule in ("allow", "consent")
