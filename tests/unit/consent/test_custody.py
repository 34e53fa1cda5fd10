"""Custody: which area may open what, for whom. The numbers are those of architecture section 6."""

from __future__ import annotations

import pytest

from services.consent.custody import CUSTODY, ROUTING_ONLY, By, Duty, topics
from services.shared.sharing.purposes import ALLOWED, MATRIX_ROLES
from tests.unit.consent.policy_asking import the_policy

PROMISED = {
    ("review", "prosecutor", "DIVERSION_COORD"): {4, 15, 20, 40},
    ("referral", "police", "DIVERSION_COORD"): {5, 15, 20},
    ("referral", "program_office", "DIVERSION_COORD"): {7, 15, 20},
    ("referral", "defender", "DIVERSION_COORD"): {15, 20},
    ("casework", "case_management", "HANDOFF"): {9},
    ("casework", "", "HOPERAT"): {41},
    ("outcomes", "evaluator", "HRESCH"): {36},
    ("provider", "sud_treatment", "CAREMGT"): {11, 19},
    ("provider", "sud_treatment", "TREAT"): {11, 19},
    ("provider", "mental_health", "CAREMGT"): {11, 19},
    ("provider", "mental_health", "TREAT"): {11, 19},
    ("provider", "health_care", "CAREMGT"): {11, 19},
    ("provider", "health_care", "TREAT"): {11, 19},
    ("provider", "ems", "CAREMGT"): {11, 19},
    ("provider", "ems", "TREAT"): {11, 19},
    ("provider", "housing", "CAREMGT"): {11, 19},
    ("provider", "housing", "HOUSING_PLACE"): {11, 19},
    ("provider", "job_training", "CAREMGT"): {11, 19},
}
DUTIES = [(area, duty) for area, duties in CUSTODY.items() for duty in duties]


def test_custody_is_what_was_promised_and_no_more() -> None:
    assert len(DUTIES) == len(PROMISED)
    assert {(area, duty.agency_kind, duty.purpose): set(duty.rows) for area, duty in DUTIES} == PROMISED


def test_each_area_opens_what_others_publish_and_never_its_own() -> None:
    assert topics("review") == {"referral", "casework"}
    assert topics("referral") == {"review", "casework"}
    assert topics("casework") == {"referral", "outcomes"}
    assert topics("provider") == {"casework"}
    assert topics("outcomes") - {"outcomes"} == {"referral", "casework"}
    assert topics("gateway") == topics("audit") == topics("") == frozenset()


@pytest.mark.parametrize(("area", "duty"), DUTIES, ids=lambda one: getattr(one, "agency_kind", one))
def test_a_duty_acts_in_a_role_that_its_agencies_have_for_a_purpose_that_the_role_may_use(
    area: str, duty: Duty
) -> None:
    role, kind, purpose = duty.matrix_role, duty.agency_kind, duty.purpose
    if duty.by is By.NOBODY:
        # Row 41 has no account: it is the area alone, for nobody.
        assert (area, role, kind) == ("casework", "linker", "")
    else:
        assert role in {matrix for (_, known), matrix in MATRIX_ROLES.items() if known == kind}
    assert purpose in ALLOWED[role]
    assert duty.reason


@pytest.mark.parametrize(("area", "duty"), DUTIES, ids=lambda one: getattr(one, "agency_kind", one))
def test_a_duty_rests_on_rows_that_speak_of_its_role(area: str, duty: Duty) -> None:
    rows = {row.number: row for row in the_policy().rows}
    for number in duty.rows:
        assert duty.matrix_role in rows[number].grid["principal"]
        assert rows[number].rule in ("allow", "consent", "approval")


def test_only_the_gateway_opens_routing_alone_and_it_opens_nothing_else() -> None:
    assert {"gateway"} == ROUTING_ONLY
    assert ROUTING_ONLY.isdisjoint(CUSTODY)
