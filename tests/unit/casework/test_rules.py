"""Rules: what makes two records possibly of one person, and how strongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.casework.v1 import casework_pb2 as pb

from services.casework.convert import MATCH_RULES
from services.casework.index import rules
from services.casework.index.tokens import Marks, Named
from tests.unit.casework.people import TOKENS
from tests.unit.casework.registry import JAIL

DATES = st.sampled_from(["", "1990", "1990-05", "1990-05-01", "1990-05-02", "1990-06", "1991-05-01"])
NAMES = st.sampled_from(["Testa", "Besta", ""])
NUMBERS = st.lists(st.sampled_from(["1", "2", "0"]), max_size=2)


def marks(name: str = "Testa", birth_date: str = "1990-05-01", numbers: list[str] | None = None) -> Marks:
    return TOKENS.marks(Named(name, "Sample", birth_date), [(JAIL, each) for each in numbers or []])


def test_every_rule_of_the_contract_has_a_score_and_a_reason() -> None:
    assert {rule.word for rule in rules.RULES} == {
        MATCH_RULES.word(number) for number in pb.MatchRule.values() if number
    }
    assert [rule.score for rule in rules.RULES] == [1.0, 0.9, 0.75]
    assert all(rule.reason for rule in rules.RULES)
    assert {rule.word for rule in rules.RULES if rule.alone} == {"LOCAL_ID"}


@given(NAMES, NAMES, DATES, DATES, NUMBERS, NUMBERS)
def test_who_is_like_whom_does_not_depend_on_who_is_asked_first(
    name: str, other_name: str, date: str, other_date: str, numbers: list[str], other_numbers: list[str]
) -> None:
    one, other = marks(name, date, numbers), marks(other_name, other_date, other_numbers)
    assert rules.best(one, other) == rules.best(other, one)


@given(NAMES, DATES, DATES)
def test_birth_dates_that_contradict_each_other_never_match(name: str, date: str, other_date: str) -> None:
    told = zip(date.split("-"), other_date.split("-"), strict=False)
    rule = rules.best(marks(name, date), marks(name, other_date))
    agree = bool(name and date and other_date) and all(one == other for one, other in told)
    assert (rule is not None) == agree


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        ("1990-05-01", "1990-05-01", "NAME_AND_BIRTH_DATE"),
        ("1990-05-01", "1990-05", "NAME_AND_BIRTH_YEAR"),
        ("1990", "1990", "NAME_AND_BIRTH_YEAR"),
    ],
)
def test_a_whole_date_on_both_sides_is_the_stronger_rule(one: str, other: str, word: str) -> None:
    rule = rules.best(marks(birth_date=one), marks(birth_date=other))
    assert rule is not None
    assert (rule.word, rule.score) == (word, rules.score_of(word))


def test_a_number_is_stronger_than_any_name() -> None:
    rule = rules.best(marks(numbers=["1", "2"]), marks("Besta", "1971", ["2"]))
    assert rule == rules.RULES[0]


def test_a_name_alone_never_matches() -> None:
    assert rules.best(marks(birth_date=""), marks(birth_date="")) is None
