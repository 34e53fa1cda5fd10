"""Each cell that a public method can ask for has a row, or a note that says why it is denied by default."""

from __future__ import annotations

import pytest

from services.consent.policy import coverage
from services.consent.policy.compile import Policy
from services.consent.policy.coverage import asked, uncovered
from services.shared import labels


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.load()


def test_every_cell_of_a_public_method_has_a_row_or_a_note(policy: Policy) -> None:
    assert list(uncovered(policy)) == []


def test_a_cell_without_row_and_note_is_named(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "_notes", dict)
    assert any("police can ask for IDENTITY" in str(problem) for problem in uncovered(policy))


def test_a_note_that_explains_nothing_is_named(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = {**coverage._notes(), "auditor": {"CASE_NOTES": "never asked for"}}
    monkeypatch.setattr(coverage, "_notes", lambda: notes)
    assert [str(one) for one in uncovered(policy)] == [
        "UNCOVERED: the default-deny note on CASE_NOTES for auditor explains nothing"
    ]


def test_methods_ask_for_categories_at_the_purposes_of_their_roles() -> None:
    assert ("prosecutor", "DECISION", "DIVERSION_COORD") in asked()
    assert not any(role == "prosecutor" and purpose == "CAREMGT" for role, _, purpose in asked())


def test_a_record_of_a_provider_may_be_of_every_kind_of_enrolment() -> None:
    """A provider's answer and enrolments have the category that the kind of its agency gives them."""
    kinds = {"SUD_TREATMENT", "MENTAL_HEALTH", "PHYSICAL_HEALTH", "HOUSING", "EMPLOYMENT"}
    assert {word for role, word, purpose in asked() if (role, purpose) == ("housing", "CAREMGT")} >= kinds
    assert {word for role, word, _ in asked() if role == "defender"}.isdisjoint(kinds)


def test_an_event_is_told_to_those_who_may_read_what_it_is_about() -> None:
    told = {word for role, word, _ in asked() if role == "police"}
    assert {"REFERRAL", "DECISION", "PROGRAM_STATUS"} <= told
    assert {"NEEDS", "SUD_TREATMENT", "HOUSING"}.isdisjoint(told)


def test_a_method_for_some_kinds_of_agency_is_asked_by_no_other() -> None:
    """Justice events are posted by police, and by jails and courts, which have no role in the matrix."""
    [method] = [one for one in labels.public_methods() if one.name == "RecordJusticeEvents"]
    assert {role for role, _, _ in coverage._of(method)} == {"police"}
