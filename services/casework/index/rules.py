"""Why two records may be of one person: rules as data, each with its score and its reason. No IO.

The score orders rules and is what outcomes are counted by (evaluation.md, Linkage); it is no probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.casework.index.tokens import DAY, LOCAL, MONTH, YEAR, Marks

_WHOLE_DATE, _MONTH_TOLD = 3, 2


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `word` is the contract's; `alone`: links by itself, all others ask a person."""

    word: str
    score: float
    alone: bool
    reason: str
    holds: Callable[[Marks, Marks], bool]


def _same_number(one: Marks, other: Marks) -> bool:
    return one.shares(other, LOCAL)


def _same_day(one: Marks, other: Marks) -> bool:
    return one.shares(other, DAY)


def _same_year(one: Marks, other: Marks) -> bool:
    told = min(one.birth_parts, other.birth_parts)
    agree = told < _MONTH_TOLD or one.shares(other, MONTH)
    return told < _WHOLE_DATE and agree and one.shares(other, YEAR)


# Strongest first.
RULES: tuple[Rule, ...] = (
    Rule("LOCAL_ID", 1.0, True, "one agency's own number of a person is of one person", _same_number),
    Rule("NAME_AND_BIRTH_DATE", 0.9, False, "namesakes of one day are rare, and there are some", _same_day),
    Rule(
        "NAME_AND_BIRTH_YEAR",
        0.75,
        False,
        "as far as both tell the birth date it agrees, and one of them tells less than the day",
        _same_year,
    ),
)


def best(one: Marks, other: Marks) -> Rule | None:
    """Return the strongest rule that holds, None where none does: then they are strangers."""
    return next((rule for rule in RULES if rule.holds(one, other)), None)


def score_of(word: str) -> float:
    """Return the score of a rule. Raises KeyError for a word that is none."""
    return {rule.word: rule.score for rule in RULES}[word]
