"""Own use, the participant, releases, proof, research, and what is about nobody. Numbers are rows of the matrix."""

from __future__ import annotations

import pytest

from services.consent.policy.facts import WIDENING, Fact
from services.consent.policy.rows import CATEGORIES, PURPOSES
from services.shared.sharing.purposes import ALLOWED, NO_ROLE, ROLES
from tests.unit.consent.policy_asking import ruling, seen

NO_PERSON = {"DEIDENTIFIED", "FUNDING", "DIRECTORY", "STAFF", "SYSTEM"}
NOT_A_SOURCE = ("operator", "participant", "linker")


@pytest.mark.parametrize("role", [role for role in ROLES if role not in NOT_A_SOURCE])
def test_an_agency_sees_all_of_its_own_record_at_its_allowed_purposes_row_1(role: str) -> None:
    for purpose in ALLOWED[role]:
        assert seen(role, purpose, "police", own=True) == set(CATEGORIES)
        assert ruling(role, "CASE_NOTES", purpose, "police", own=True).row == 1


def test_own_use_stops_at_the_purposes_of_the_role_row_1() -> None:
    for purpose in set(PURPOSES) - set(ALLOWED["police"]):
        assert "IDENTITY" not in seen("police", purpose, "police", own=True)


@pytest.mark.parametrize("role", NOT_A_SOURCE)
def test_who_is_no_source_agency_has_no_own_use_row_1(role: str) -> None:
    for purpose in ALLOWED[role]:
        assert "CASE_NOTES" not in seen(role, purpose, "case_management", own=True)


def test_the_operator_never_sees_anything_about_a_person_row_2() -> None:
    told = seen("operator", "AUDIT_EVAL", "police", *WIDENING, own=True, release=True, approval=True, glass=True)
    assert told <= NO_PERSON
    assert ruling("operator", "DISCLOSURE_RECORD", "AUDIT_EVAL").row == 2


@pytest.mark.parametrize("fact", [Fact.TAKING_AGENCY, Fact.NAMED_RECIPIENT])
def test_a_party_to_a_release_sees_its_scope_at_its_default_purpose_row_31(fact: Fact) -> None:
    assert "CONSENT_RECORD" in seen("lead_cm", "CAREMGT", "case_management", fact)
    assert "CONSENT_RECORD" in seen("police", "DIVERSION_COORD", "case_management", fact)
    assert "CONSENT_RECORD" not in seen("police", "DIVERSION_ELIG", "case_management", fact)
    assert "CONSENT_RECORD" not in seen("operator", "AUDIT_EVAL", "case_management", fact)


def test_nobody_else_learns_that_a_release_exists_row_32() -> None:
    parties = {Fact.TAKING_AGENCY, Fact.NAMED_RECIPIENT}
    for role in ROLES:
        for purpose in ALLOWED[role]:
            facts = WIDENING - parties - {Fact.SELF}
            assert "CONSENT_RECORD" not in seen(role, purpose, "case_management", *facts, release=True)
    assert ruling("pm", "CONSENT_RECORD", "DIVERSION_COORD", "case_management").row == 32


def test_a_participant_sees_the_own_record_row_33() -> None:
    told = seen("participant", "PATRQT", "sud_treatment", Fact.SELF)
    assert {"IDENTITY", "CASE_NOTES", "SUD_PRESENCE", "SUD_TREATMENT", "CONSENT_RECORD", "DISCLOSURE_RECORD"} <= told
    assert "ELIGIBILITY" not in told
    assert "LINKED_RESEARCH" not in told


def test_a_participant_sees_nobody_elses_record_row_33() -> None:
    told = seen("participant", "PATRQT", "sud_treatment", *(WIDENING - {Fact.SELF}), release=True)
    assert told == {"DIRECTORY", "SYSTEM"}


def test_a_law_enforcement_hold_withholds_the_entry_from_the_participant_row_33() -> None:
    assert "DISCLOSURE_RECORD" not in seen("participant", "PATRQT", "police", Fact.SELF, Fact.HELD)


def test_a_participant_asks_the_agency_for_narrative_and_staff_names_row_34() -> None:
    closed = {"OFFICER_NARRATIVE", "PROSECUTOR_WORK_PRODUCT", "VICTIM_OF_OFFENCE", "STAFF"}
    assert not closed & seen("participant", "PATRQT", "police", *WIDENING, release=True)
    assert ruling("participant", "STAFF", "PATRQT", "police", Fact.SELF).row == 34


def test_the_auditor_sees_the_disclosure_record_row_35() -> None:
    assert "DISCLOSURE_RECORD" in seen("auditor", "AUDIT_EVAL")
    for role in set(ROLES) - {"auditor"}:
        facts = WIDENING - {Fact.SELF}
        assert "DISCLOSURE_RECORD" not in seen(role, "AUDIT_EVAL", "none", *facts, release=True)


def test_linked_rows_need_an_approval_row_36() -> None:
    assert "LINKED_RESEARCH" in seen("evaluator", "HRESCH", approval=True)
    assert "LINKED_RESEARCH" not in seen("evaluator", "HRESCH", "none", *WIDENING, release=True)


def test_no_approval_serves_who_is_employed_by_police_or_prosecutor_row_36() -> None:
    assert "LINKED_RESEARCH" not in seen("evaluator", "HRESCH", "none", Fact.EMPLOYED_BY_JUSTICE, approval=True)
    for role in set(ROLES) - {"evaluator"}:
        assert "LINKED_RESEARCH" not in seen(role, "HRESCH", "none", *WIDENING, approval=True)


@pytest.mark.parametrize("role", ["evaluator", "pm", "auditor", "police", "prosecutor", "lead_cm"])
def test_aggregates_are_open_to_six_roles_row_37(role: str) -> None:
    assert all("DEIDENTIFIED" in seen(role, purpose) for purpose in ("HRESCH", "AUDIT_EVAL", "DIVERSION_COORD"))
    assert "DEIDENTIFIED" not in seen(role, "CAREMGT")


def test_money_is_for_programme_office_and_evaluator_row_38() -> None:
    who = {role for role in ROLES if "FUNDING" in seen(role, "DIVERSION_COORD", "none", *WIDENING, release=True)}
    assert who == {"pm", "evaluator"}


def test_directory_and_system_are_open_to_all_who_are_signed_in_row_39() -> None:
    for role in (*ROLES, NO_ROLE):
        told = {"DIRECTORY", "SYSTEM"} & seen(role, "PATRQT")
        assert told == (set() if role == "linker" else {"DIRECTORY", "SYSTEM"})


def test_staff_names_are_open_to_every_signed_in_role_but_the_participant_row_40() -> None:
    assert {role for role in ROLES if "STAFF" not in seen(role, "HPAYMT")} == {"participant", "linker"}


def test_the_linker_matches_and_sees_nothing_else_row_41() -> None:
    assert seen("linker", "HOPERAT", "sud_treatment", *WIDENING, release=True) == {"IDENTITY", "SUD_PRESENCE"}
    assert "IDENTITY" not in seen("linker", "CAREMGT", "sud_treatment", *WIDENING, release=True)


def test_a_jail_or_court_feed_sees_its_own_record_and_the_exchange_only() -> None:
    assert seen(NO_ROLE, "DIVERSION_COORD", "police", *WIDENING, release=True) == {"DIRECTORY", "SYSTEM"}
    assert "LINKED_RESEARCH" in seen(NO_ROLE, "DIVERSION_COORD", "jail", own=True)
