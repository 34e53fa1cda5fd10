"""What police, prosecutor, defender and programme office see. Numbers are rows of the matrix."""

from __future__ import annotations

import pytest

from services.consent.policy.facts import WIDENING, Fact
from services.consent.policy.rows import PURPOSES, SOURCE_KINDS
from tests.unit.consent.policy_asking import ruling, seen

COORD, ELIG = "DIVERSION_COORD", "DIVERSION_ELIG"
NOBODYS = {"DIRECTORY", "SYSTEM", "STAFF"}
PROVIDERS = ("sud_treatment", "mental_health", "health_care", "ems", "housing", "job_training")
JUSTICE = pytest.mark.parametrize("role", ["police", "prosecutor"])
WITH_DEFENDER = pytest.mark.parametrize("role", ["police", "prosecutor", "defender"])


def ever_seen(role: str) -> set[str]:
    """Return what a role sees of other agencies' records for any purpose, with every fact, release and instrument."""
    sets = (
        seen(role, purpose, source, *WIDENING, release=True, approval=True, glass=True)
        for purpose in PURPOSES
        for source in ("none", "police", "program_office", "case_management", "sud_treatment")
    )
    return set().union(*sets)


def test_programme_office_sees_its_own_sites_referrals_row_3() -> None:
    wanted = {"IDENTITY", "REFERRAL", "ELIGIBILITY", "CHARGE"}
    for source in ("police", "prosecutor", "program_office"):
        assert wanted <= seen("pm", ELIG, source, Fact.OWN_SITE)
        assert not wanted & seen("pm", ELIG, source)
    for source in (*PROVIDERS, "case_management", "defender", "victim_services"):
        assert not wanted & seen("pm", ELIG, source, Fact.OWN_SITE)


def test_prosecutor_sees_only_incidents_routed_to_the_own_office_row_4() -> None:
    wanted = {"IDENTITY", "REFERRAL", "CHARGE", "ELIGIBILITY", "OFFICER_NARRATIVE", "VICTIM_OF_OFFENCE"}
    for purpose in (COORD, ELIG):
        assert wanted <= seen("prosecutor", purpose, "police", Fact.ROUTED)
        assert not wanted & seen("prosecutor", purpose, "police", *(WIDENING - {Fact.ROUTED}), release=True)
    for source in SOURCE_KINDS:
        if source != "police":
            assert not wanted & seen("prosecutor", COORD, source, Fact.ROUTED, release=True)


def test_police_see_the_outcome_of_their_own_incident_row_5() -> None:
    assert "DECISION" in seen("police", COORD, "prosecutor", Fact.OWN_INCIDENT)
    assert "DECISION" not in seen("police", COORD, "prosecutor")
    assert "DECISION" not in seen("police", ELIG, "prosecutor", Fact.OWN_INCIDENT)


@pytest.mark.parametrize("role", ["lead_cm", "defender"])
def test_charge_and_outcome_need_a_release_for_case_manager_and_defender_row_6(role: str) -> None:
    assert {"DECISION", "CHARGE"} <= seen(role, COORD, "prosecutor", release=True)
    assert not {"DECISION", "CHARGE"} & seen(role, COORD, "prosecutor", *WIDENING)


def test_programme_office_sees_outcomes_at_its_own_site_row_7() -> None:
    assert "DECISION" in seen("pm", COORD, "prosecutor", Fact.OWN_SITE)
    assert "DECISION" not in seen("pm", COORD, "prosecutor", release=True)


def test_defender_sees_the_police_record_of_a_represented_participant_row_8() -> None:
    wanted = {"IDENTITY", "REFERRAL", "OFFICER_NARRATIVE"}
    assert wanted <= seen("defender", COORD, "police", Fact.REPRESENTED, release=True)
    assert not wanted & seen("defender", COORD, "police", Fact.REPRESENTED)
    assert not wanted & seen("defender", COORD, "police", release=True)
    assert not wanted & seen("defender", COORD, "case_management", *WIDENING, release=True)


@JUSTICE
def test_police_and_prosecutor_never_see_where_a_person_is_or_lives_row_13(role: str) -> None:
    assert not {"CONTACT_LOCATION", "HOUSING"} & ever_seen(role)
    assert ruling(role, "HOUSING", COORD, "housing").row == 13


def test_narrative_victims_and_work_product_stay_with_who_decides_row_14() -> None:
    closed = {"OFFICER_NARRATIVE", "VICTIM_OF_OFFENCE", "PROSECUTOR_WORK_PRODUCT"}
    assert ever_seen("prosecutor") & closed == {"OFFICER_NARRATIVE", "VICTIM_OF_OFFENCE"}
    assert ever_seen("defender") & closed == {"OFFICER_NARRATIVE"}
    for role in ("police", "lead_cm", "sud_tx", "med", "pm", "evaluator", "auditor", "vsp", "participant", "linker"):
        assert not ever_seen(role) & closed
    assert ruling("lead_cm", "OFFICER_NARRATIVE", "CAREMGT", "police").row == 14


@pytest.mark.parametrize("role", ["police", "prosecutor", "defender", "pm"])
def test_programme_status_needs_a_release_that_names_the_agency_rows_15_and_20(role: str) -> None:
    both = {"PROGRAM_STATUS", "SUD_PRESENCE"}
    assert both <= seen(role, COORD, "case_management", release=True)
    assert not both & seen(role, COORD, "case_management", *WIDENING)
    assert not both & seen(role, ELIG, "case_management", *WIDENING, release=True)


@WITH_DEFENDER
def test_police_prosecutor_and_defender_never_see_case_notes_or_needs_even_with_consent_row_18(role: str) -> None:
    assert not {"CASE_NOTES", "NEEDS"} & ever_seen(role)
    assert ruling(role, "CASE_NOTES", COORD, "case_management").row == 18


@pytest.mark.parametrize("role", ["police", "prosecutor", "defender", "pm", "housing", "jobs"])
def test_treatment_detail_is_denied_to_who_does_not_treat_even_with_consent_row_23(role: str) -> None:
    assert "SUD_TREATMENT" not in ever_seen(role)
    assert ruling(role, "SUD_TREATMENT", "CAREMGT", "sud_treatment").row == 23


@JUSTICE
def test_police_and_prosecutor_never_see_health_or_work_row_27(role: str) -> None:
    assert not {"MENTAL_HEALTH", "PHYSICAL_HEALTH", "EMPLOYMENT"} & ever_seen(role)
    assert ruling(role, "EMPLOYMENT", COORD, "job_training").row == 27


@JUSTICE
def test_all_that_treatment_sources_can_tell_police_is_the_programme_status(role: str) -> None:
    told = seen(role, COORD, "sud_treatment", *WIDENING, release=True, approval=True, glass=True)
    assert told - NOBODYS <= {"PROGRAM_STATUS", "SUD_PRESENCE", "DECISION", "DEIDENTIFIED", "CONSENT_RECORD"}


def test_a_community_referral_reaches_the_programme_office_by_release_row_42() -> None:
    wanted = {"IDENTITY", "REFERRAL", "CONTACT_LOCATION", "SUD_PRESENCE"}
    for source in ("case_management", *PROVIDERS):
        assert wanted <= seen("pm", COORD, source, Fact.COMMUNITY, release=True)
        assert not wanted & seen("pm", COORD, source, Fact.COMMUNITY)
        assert not {"IDENTITY", "CONTACT_LOCATION"} & seen("pm", COORD, source, Fact.OWN_SITE, release=True)
    for source in ("police", "victim_services", "jail"):
        assert "CONTACT_LOCATION" not in seen("pm", COORD, source, Fact.COMMUNITY, Fact.OWN_SITE, release=True)
