"""Who may act as what, and for which purposes."""

from __future__ import annotations

import pytest
from lead.options.v1.words_pb2 import Purpose, Role

from services.consent.policy.rows import PURPOSES
from services.shared.errors import LeadError
from services.shared.sharing.purposes import (
    ALLOWED,
    MATRIX_ROLES,
    NO_ROLE,
    REFUSED,
    ROLES,
    allowed,
    default,
    matrix_role,
)


@pytest.mark.parametrize(
    ("role", "kind", "expected"),
    [
        ("police_liaison", "police", "police"),
        ("case_supervisor", "case_management", "lead_cm"),
        ("provider_system", "ems", "med"),
        ("provider_staff", "health_care", "med"),
        ("provider_staff", "victim_services", "vsp"),
        ("program_manager", "program_office", "pm"),
        ("participant", "", "participant"),
        ("police_rms", "jail", NO_ROLE),
        ("police_rms", "court", NO_ROLE),
    ],
)
def test_role_and_agency_kind_give_the_matrix_role(role: str, kind: str, expected: str) -> None:
    assert matrix_role(role, kind) == expected


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("police_officer", "jail"),
        ("police_officer", "prosecutor"),
        ("case_manager", "sud_treatment"),
        ("provider_staff", "police"),
        ("participant", "police"),
        ("linker", "case_management"),
        ("operator", "program_office"),
        ("", ""),
        ("sheriff", "police"),
    ],
)
def test_any_other_pair_is_refused(role: str, kind: str) -> None:
    with pytest.raises(LeadError) as refused:
        matrix_role(role, kind)
    assert refused.value.reason == "ROLE_REFUSED"


def test_every_contract_role_can_sign_in_somewhere() -> None:
    contract = {name.removeprefix("ROLE_").lower() for name, number in Role.items() if number}
    assert {role for role, _ in MATRIX_ROLES} == contract


def test_there_are_sixteen_matrix_roles_each_with_purposes() -> None:
    assert len(ROLES) == len(set(ROLES)) == 16
    assert set(ALLOWED) == {*ROLES, NO_ROLE}
    assert all(set(purposes) <= set(PURPOSES) for purposes in ALLOWED.values())


def test_a_default_is_allowed() -> None:
    for role, kind in MATRIX_ROLES:
        assert default(role, kind) in allowed(role, kind)


@pytest.mark.parametrize(
    ("role", "kind", "expected"),
    [
        ("police_officer", "police", "DIVERSION_COORD"),
        ("case_manager", "case_management", "CAREMGT"),
        ("provider_system", "housing", "CAREMGT"),
        ("evaluator", "evaluator", "HRESCH"),
        ("operator", "operator", "AUDIT_EVAL"),
        ("participant", "", "PATRQT"),
    ],
)
def test_who_names_no_purpose_has_the_roles_default(role: str, kind: str, expected: str) -> None:
    assert default(role, kind) == expected


def test_emergency_treatment_is_for_medical_agencies_alone() -> None:
    assert {kind for role, kind in MATRIX_ROLES if "ETREAT" in allowed(role, kind)} == {"health_care", "ems"}


def test_treatment_is_for_who_treats() -> None:
    treating = {"sud_treatment", "mental_health", "health_care", "ems"}
    assert {kind for role, kind in MATRIX_ROLES if "TREAT" in allowed(role, kind)} == treating


def test_refused_purposes_are_no_words_of_the_wire() -> None:
    assert not REFUSED & {name.removeprefix("PURPOSE_") for name in Purpose.keys()}  # noqa: SIM118
    assert {"INVESTIGATION", "PROSECUTION", "LEGAL_PROCEEDING", "WARRANT", "INTEL"} == REFUSED
