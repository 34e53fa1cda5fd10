"""The cells that are printed are the cells that hold."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pytest

from services.consent.policy.compile import Policy
from services.consent.policy.engine import Question
from services.consent.policy.facts import Fact
from services.consent.policy.matrix import Cell, cell, cells
from services.consent.policy.rows import CATEGORIES, PURPOSES, SOURCE_KINDS, Row
from services.shared.sharing.purposes import ROLES
from tests.unit.consent.policy_asking import the_policy

COORD = "DIVERSION_COORD"


@cache
def every_cell() -> tuple[Cell, ...]:
    return tuple(cells(the_policy()))


def test_every_role_category_and_purpose_has_its_cell() -> None:
    named = {(each.role, each.category, each.purpose) for each in every_cell()}
    assert len(named) == len(ROLES) * len(CATEGORIES) * len(PURPOSES)


def test_parts_of_a_cell_cover_each_source_once() -> None:
    parts: dict[tuple[str, str, str], list[str]] = {}
    for each in every_cell():
        parts.setdefault((each.role, each.category, each.purpose), []).extend(each.sources or SOURCE_KINDS)
    assert all(sorted(kinds) == sorted(SOURCE_KINDS) for kinds in parts.values())


def test_every_row_but_own_use_decides_some_cell() -> None:
    assert {row for each in every_cell() for row in each.rows} == set(range(2, 43))


def test_each_cell_has_the_rule_of_the_rows_that_decide_it() -> None:
    rules = {row.number: row.rule for row in the_policy().rows}
    for each in every_cell():
        assert {rules[row] for row in each.rows} <= {each.rule}
        assert each.rows or each.rule == "deny"


@pytest.mark.parametrize(
    ("role", "category", "purpose", "source", "rule", "rows"),
    [
        ("prosecutor", "CHARGE", COORD, "police", "allow", (4,)),
        ("prosecutor", "CHARGE", COORD, "housing", "deny", ()),
        ("pm", "IDENTITY", COORD, "police", "allow", (3,)),
        ("pm", "IDENTITY", COORD, "housing", "consent", (42,)),
        ("pm", "SUD_PRESENCE", COORD, "housing", "consent", (20, 42)),
        ("med", "SUD_TREATMENT", "ETREAT", "sud_treatment", "glass", (24,)),
        ("evaluator", "LINKED_RESEARCH", "HRESCH", "none", "approval", (36,)),
        ("police", "CASE_NOTES", COORD, "case_management", "deny", (18,)),
        ("participant", "OFFICER_NARRATIVE", "PATRQT", "police", "deny", (14, 34)),
        ("lead_cm", "CONSENT_RECORD", "TREAT", "case_management", "deny", (32,)),
    ],
)
def test_a_cell_has_rule_and_rows(
    role: str, category: str, purpose: str, source: str, rule: str, rows: tuple[int]
) -> None:
    found = cell(the_policy(), role, category, purpose, source)
    assert (found.rule, found.rows) == (rule, rows)
    assert found.reason


def test_a_cell_names_the_facts_it_hangs_on() -> None:
    def facts(*where: str) -> set[Fact]:
        return set(cell(the_policy(), *where).facts)

    assert facts("prosecutor", "CHARGE", COORD, "police") == {Fact.ROUTED}
    assert facts("lead_cm", "CONTACT_LOCATION", "CAREMGT") == {Fact.SAFETY}
    assert facts("lead_cm", "CONSENT_RECORD", "CAREMGT") == {Fact.TAKING_AGENCY, Fact.NAMED_RECIPIENT}
    assert facts("participant", "DISCLOSURE_RECORD", "PATRQT") == {Fact.SELF, Fact.HELD}
    assert facts("lead_cm", "NEEDS", "CAREMGT") == set()


def test_an_agencys_own_record_is_open_to_it() -> None:
    found = cell(the_policy(), "housing", "HOUSING", "HOUSING_PLACE", "housing", own_source=True)
    assert (found.rule, found.rows[0], found.own_source) == ("allow", 1, True)


@pytest.mark.parametrize(
    "where", [("sheriff", "CHARGE", COORD), ("police", "HOROSCOPE", COORD), ("police", "CHARGE", "INTEL", "police")]
)
def test_a_cell_of_unknown_words_is_none(where: tuple[str, ...]) -> None:
    with pytest.raises(KeyError):
        cell(the_policy(), *where)


def test_the_whole_matrix_takes_few_questions_in_few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for it first waits for it: purposes and sources that no row tells apart are asked about once."""
    policy, batches = Policy(the_policy().text, the_policy().schema_text), []
    ask = policy.ask

    def counted(questions: Iterable[Question]) -> list[tuple[bool, tuple[Row, ...]]]:
        batches.append(list(questions))
        return ask(batches[-1])

    monkeypatch.setattr(policy, "ask", counted)
    assert tuple(cells(policy)) == every_cell()
    assert len(batches) <= 5
    assert sum(map(len, batches)) < len(every_cell()) / 2


def test_a_part_of_the_matrix_is_the_same_as_in_the_whole() -> None:
    chosen = [each for each in every_cell() if (each.role, each.purpose) == ("pm", COORD)]
    assert cells(the_policy(), ["pm"], purposes=[COORD]) == chosen
