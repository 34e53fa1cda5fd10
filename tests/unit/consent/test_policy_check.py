"""What `leadx policy check` finds."""

from __future__ import annotations

import pytest

from services.consent.policy.check import check
from services.consent.policy.compile import Policy
from services.consent.policy.problem import Problem
from tests.unit.consent.policy_asking import the_policy

NOTES = '@law("state records law") @reason("a test")'
SEES = 'action == Action::"see"'


# Four rows as the matrix has them, which keeps the tests quick.
SMALL = f"""
@id("row-01") @rule("allow") {NOTES}
permit (principal, {SEES}, resource) when {{ context.own_source && context.allowed_purpose }}
unless {{ principal == Role::"operator" }};
@id("row-02") @rule("consent") {NOTES}
permit (principal == Role::"sud_tx", {SEES}, resource == Category::"HOUSING")
when {{ context.purpose == Purpose::"CAREMGT" && context.consent }};
@id("row-03") @rule("deny") {NOTES}
forbid (principal == Role::"police", {SEES}, resource == Category::"CASE_NOTES") unless {{ context.own_source }};
@id("row-04") @rule("deny") {NOTES}
forbid (principal, {SEES}, resource == Category::"CONSENT_RECORD")
unless {{ context.own_source || context.taking_agency }};
"""


def problems(text: str, schema: str | None = None) -> list[Problem]:
    """Return the problems of a policy text."""
    return check(Policy(text, schema or the_policy().schema_text))


def with_row(rule: str, body: str) -> list[Problem]:
    """Return the problems of the small matrix with a fifth row."""
    return problems(f'{SMALL}\n@id("row-05") @rule("{rule}") {NOTES}\n{body}\n')


def kinds_and_rows(found: list[Problem]) -> set[tuple[str, tuple[int, ...]]]:
    """Return what matters of some problems."""
    return {(each.kind, each.rows) for each in found}


def test_the_matrix_has_no_problem() -> None:
    assert check(the_policy()) == []
    assert problems(SMALL) == []


def test_a_row_against_the_whole_matrix_is_found() -> None:
    row = f'permit (principal == Role::"defender", {SEES}, resource == Category::"CASE_NOTES");'
    found = problems(f'{the_policy().text}\n@id("row-43") @rule("allow") {NOTES}\n{row}\n')
    assert kinds_and_rows(found) == {("CONFLICT", (18, 43))}


def test_an_allow_row_against_a_deny_row_is_found() -> None:
    found = with_row("allow", f'permit (principal == Role::"police", {SEES}, resource == Category::"CASE_NOTES");')
    assert ("CONFLICT", (3, 5)) in kinds_and_rows(found)


def test_an_allow_row_against_a_consent_row_is_found() -> None:
    found = with_row(
        "allow",
        f'permit (principal == Role::"med", {SEES}, resource == Category::"HOUSING")\n'
        'when { context.purpose == Purpose::"CAREMGT" && context.addressed };',
    )
    assert found == []
    found = with_row(
        "allow",
        f'permit (principal == Role::"sud_tx", {SEES}, resource == Category::"HOUSING")\n'
        'when { context.purpose == Purpose::"CAREMGT" && context.addressed };',
    )
    assert kinds_and_rows(found) == {("CONFLICT", (2, 5))}
    assert "sud_tx, HOUSING, CAREMGT" in found[0].text


def test_a_conflict_that_needs_some_facts_and_not_others_is_found() -> None:
    found = with_row(
        "allow",
        f'permit (principal == Role::"auditor", {SEES}, resource == Category::"CONSENT_RECORD")\n'
        "when { context.routed && !context.safety };",
    )
    assert kinds_and_rows(found) == {("CONFLICT", (4, 5))}


def test_a_deny_row_that_forgets_own_use_is_found() -> None:
    found = with_row("deny", f'forbid (principal == Role::"vsp", {SEES}, resource == Category::"CASE_NOTES");')
    assert ("CONFLICT", (1, 5)) in kinds_and_rows(found)


def test_a_consent_row_that_opens_without_a_release_is_found() -> None:
    found = with_row(
        "consent",
        f'permit (principal == Role::"med", {SEES}, resource == Category::"EMPLOYMENT")\n'
        'when { context.purpose == Purpose::"TREAT" };',
    )
    assert kinds_and_rows(found) == {("RULE", (5,))}


def test_an_allow_row_that_needs_an_instrument_is_found() -> None:
    found = with_row(
        "allow",
        f'permit (principal == Role::"med", {SEES}, resource == Category::"EMPLOYMENT")\n'
        'when { context.purpose == Purpose::"TREAT" && context.glass };',
    )
    assert kinds_and_rows(found) == {("RULE", (5,))}


def test_a_row_that_nothing_reaches_is_found() -> None:
    found = with_row(
        "allow",
        f'permit (principal == Role::"med", {SEES}, resource) when {{ context.routed && !context.routed }};',
    )
    assert kinds_and_rows(found) == {("SILENT", (5,))}


@pytest.mark.parametrize("word", ['Role::"sheriff"', 'Category::"HOROSCOPE"'])
def test_an_unknown_word_in_a_policy_is_found(word: str) -> None:
    kind = "principal" if word.startswith("Role") else "resource"
    found = with_row("allow", f"permit (principal, {SEES}, resource) when {{ {kind} == {word} }};")
    assert "CEDAR" in {each.kind for each in found}


def test_an_unknown_fact_in_a_policy_is_found() -> None:
    found = with_row("allow", f"permit (principal, {SEES}, resource) when {{ context.friendly }};")
    assert {each.kind for each in found} == {"CEDAR"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"linker", "none"', '"linker", "sheriff", "none"'),
        ('"NEEDS", ', '"NEEDS", "HOROSCOPE", '),
        ("held: Bool", "held: Bool,\n    friendly: Bool"),
    ],
)
def test_a_word_that_only_the_schema_knows_is_found(before: str, after: str) -> None:
    schema = the_policy().schema_text
    assert before in schema
    assert "WORDS" in {each.kind for each in problems(the_policy().text, schema.replace(before, after))}


@pytest.mark.parametrize(
    "head",
    [
        f'@rule("allow") {NOTES}',
        '@id("row-05") @rule("allow") @reason("a test")',
        '@id("row-05") @rule("allow") @law("state records law")',
        f'@id("row-05") @rule("perhaps") {NOTES}',
        f'@id("row-05") @rule("deny") {NOTES}',
        f'@id("row-04") @rule("allow") {NOTES}',
        f'@id("row-06") @rule("allow") {NOTES}',
    ],
)
def test_a_row_without_sound_notes_is_found(head: str) -> None:
    row = f'{head}\npermit (principal == Role::"med", {SEES}, resource == Category::"FUNDING");'
    assert {each.kind for each in problems(f"{SMALL}\n{row}\n")} == {"NOTES"}


def test_a_problem_says_its_rows() -> None:
    assert str(Problem("CONFLICT", (1, 2), "both speak")) == "CONFLICT row 1, 2: both speak"
    assert str(Problem("WORDS", (), "unknown")) == "WORDS: unknown"
