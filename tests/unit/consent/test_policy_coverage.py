"""Each cell that a public method can ask for has a row, or a note that says why it is denied by default."""

from __future__ import annotations

import pytest

from services.consent.policy import coverage
from services.consent.policy.compile import Policy
from services.consent.policy.coverage import asked, uncovered


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
