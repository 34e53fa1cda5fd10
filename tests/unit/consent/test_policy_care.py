"""What case managers and providers see. Numbers are rows of the matrix."""

from __future__ import annotations

import pytest

from services.consent.policy.facts import WIDENING, Fact
from services.consent.policy.rows import SOURCE_KINDS
from tests.unit.consent.policy_asking import ruling, seen

PROVIDERS = pytest.mark.parametrize("role", ["sud_tx", "mh_tx", "med", "housing", "jobs"])


def test_only_the_dispatched_agency_sees_the_hand_off_row_9() -> None:
    wanted = {"IDENTITY", "REFERRAL", "CONTACT_LOCATION", "ELIGIBILITY", "STAFF"}
    for source in ("police", "program_office"):
        assert wanted <= seen("lead_cm", "HANDOFF", source, Fact.DISPATCHED)
        assert wanted & seen("lead_cm", "HANDOFF", source, release=True) == {"STAFF"}
    for source in set(SOURCE_KINDS) - {"police", "program_office"}:
        assert wanted & seen("lead_cm", "HANDOFF", source, Fact.DISPATCHED, release=True) == {"STAFF"}


def test_a_hand_off_shows_nothing_beyond_its_five_categories_row_9() -> None:
    beyond = {"OFFICER_NARRATIVE", "CHARGE", "NEEDS", "CASE_NOTES", "SUD_PRESENCE", "PROGRAM_STATUS", "DECISION"}
    assert not beyond & seen("lead_cm", "HANDOFF", "police", *WIDENING, release=True)


def test_care_management_starts_from_the_referral_by_release_row_10() -> None:
    wanted = {"IDENTITY", "REFERRAL", "ELIGIBILITY"}
    for purpose in ("CAREMGT", "DIVERSION_COORD"):
        assert wanted <= seen("lead_cm", purpose, "police", release=True)
        assert not wanted & seen("lead_cm", purpose, "police", *WIDENING)


@PROVIDERS
def test_a_provider_sees_needs_only_on_an_addressed_referral_and_by_release_row_11(role: str) -> None:
    wanted = {"IDENTITY", "NEEDS", "PROGRAM_STATUS"}
    for purpose in ("CAREMGT", "TREAT", "HOUSING_PLACE"):
        assert wanted <= seen(role, purpose, "case_management", Fact.ADDRESSED, release=True)
        assert not wanted & seen(role, purpose, "case_management", release=True)
        assert not wanted & seen(role, purpose, "case_management", Fact.ADDRESSED)


@pytest.mark.parametrize("role", ["lead_cm", "med"])
def test_location_is_withheld_while_the_safety_flag_is_set_row_12(role: str) -> None:
    assert "CONTACT_LOCATION" in seen(role, "CAREMGT", "case_management", release=True)
    assert "CONTACT_LOCATION" not in seen(role, "CAREMGT", "case_management", Fact.SAFETY, release=True)
    assert "CONTACT_LOCATION" not in seen(role, "CAREMGT", "case_management", *WIDENING)


@pytest.mark.parametrize("role", ["sud_tx", "mh_tx", "housing", "jobs", "vsp"])
def test_location_goes_to_no_other_provider_row_12(role: str) -> None:
    assert "CONTACT_LOCATION" not in seen(role, "CAREMGT", "case_management", *WIDENING, release=True)


def test_another_case_management_agency_needs_a_release_rows_16_and_17() -> None:
    wanted = {"PROGRAM_STATUS", "NEEDS", "CASE_NOTES"}
    assert wanted <= seen("lead_cm", "CAREMGT", "case_management", release=True)
    assert not wanted & seen("lead_cm", "CAREMGT", "case_management", *WIDENING)
    assert wanted <= seen("lead_cm", "CAREMGT", "case_management", own=True)
    assert ruling("lead_cm", "CASE_NOTES", "CAREMGT", "case_management", own=True).row == 1


@pytest.mark.parametrize("role", ["lead_cm", "sud_tx", "mh_tx", "med", "housing", "jobs"])
def test_that_someone_is_a_patient_needs_a_release_row_19(role: str) -> None:
    for purpose in ("CAREMGT", "TREAT", "HOUSING_PLACE"):
        assert "SUD_PRESENCE" in seen(role, purpose, "sud_treatment", release=True)
        assert "SUD_PRESENCE" not in seen(role, purpose, "sud_treatment", *WIDENING)


@pytest.mark.parametrize("role", ["sud_tx", "mh_tx", "med"])
def test_treatment_detail_goes_to_who_treats_by_release_row_21(role: str) -> None:
    assert "SUD_TREATMENT" in seen(role, "TREAT", "sud_treatment", release=True)
    assert "SUD_TREATMENT" not in seen(role, "TREAT", "sud_treatment", *WIDENING)
    assert "SUD_TREATMENT" not in seen(role, "CAREMGT", "sud_treatment", *WIDENING, release=True)


def test_case_manager_sees_treatment_detail_for_care_management_by_release_row_22() -> None:
    assert "SUD_TREATMENT" in seen("lead_cm", "CAREMGT", "sud_treatment", release=True)
    assert "SUD_TREATMENT" not in seen("lead_cm", "CAREMGT", "sud_treatment", *WIDENING)
    assert "SUD_TREATMENT" not in seen("lead_cm", "DIVERSION_COORD", "sud_treatment", *WIDENING, release=True)


def test_break_glass_opens_three_categories_to_medical_personnel_alone_row_24() -> None:
    opened = {"SUD_PRESENCE", "SUD_TREATMENT", "PHYSICAL_HEALTH"}
    health = opened | {"MENTAL_HEALTH", "IDENTITY", "NEEDS"}
    assert seen("med", "ETREAT", "sud_treatment", glass=True) & health == opened
    assert not seen("med", "ETREAT", "sud_treatment", release=True) & health
    assert not seen("med", "TREAT", "sud_treatment", glass=True) & health
    for role in ("police", "prosecutor", "lead_cm", "sud_tx", "mh_tx", "housing", "pm", "operator"):
        assert not seen(role, "ETREAT", "sud_treatment", *WIDENING, glass=True) & health


def test_health_goes_to_who_treats_by_release_row_25() -> None:
    wanted = {"MENTAL_HEALTH", "PHYSICAL_HEALTH"}
    for role in ("sud_tx", "mh_tx", "med"):
        assert wanted <= seen(role, "TREAT", "mental_health", release=True)
        assert not wanted & seen(role, "TREAT", "mental_health", *WIDENING)


def test_health_goes_to_the_case_manager_by_release_row_26() -> None:
    wanted = {"MENTAL_HEALTH", "PHYSICAL_HEALTH"}
    assert wanted <= seen("lead_cm", "CAREMGT", "health_care", release=True)
    assert not wanted & seen("lead_cm", "CAREMGT", "health_care", *WIDENING)


def test_housing_is_for_placement_and_care_by_release_rows_28_and_29() -> None:
    for role in ("lead_cm", "housing"):
        for purpose in ("HOUSING_PLACE", "CAREMGT"):
            assert "HOUSING" in seen(role, purpose, "housing", release=True)
            assert "HOUSING" not in seen(role, purpose, "housing", *WIDENING)
    for role in ("sud_tx", "mh_tx"):
        assert "HOUSING" in seen(role, "CAREMGT", "housing", release=True)
        assert "HOUSING" not in seen(role, "CAREMGT", "housing", *WIDENING)
        assert "HOUSING" not in seen(role, "HOUSING_PLACE", "housing", *WIDENING, release=True)


def test_work_goes_to_case_manager_and_job_trainer_by_release_row_30() -> None:
    for role in ("lead_cm", "jobs"):
        assert "EMPLOYMENT" in seen(role, "CAREMGT", "job_training", release=True)
        assert "EMPLOYMENT" not in seen(role, "CAREMGT", "job_training", *WIDENING)


def test_a_victim_service_provider_learns_nothing_about_a_person() -> None:
    told = seen(
        "vsp", "CAREMGT", "case_management", *(WIDENING - {Fact.NAMED_RECIPIENT, Fact.TAKING_AGENCY}), release=True
    )
    assert told == {"DIRECTORY", "SYSTEM", "STAFF"}
