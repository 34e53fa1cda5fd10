"""Rows that contradict each other, or their own notes, found by asking Cedar about each row alone.

Words that none of the rows compared names are alike to them, so one stands for all; every combination of the facts
that they name is tried. Where a row minds which purposes a role may name, every role and purpose is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

from services.consent.policy.compile import Policy
from services.consent.policy.engine import Engine, Question
from services.consent.policy.facts import Fact
from services.consent.policy.problem import Problem
from services.consent.policy.rows import WORDS, Row

# An agency's use of its own record is no disclosure: it needs no release, whatever a later row asks of others.
_OWN_USE = 1
_INSTRUMENTS = ("consent", "approval", "glass")


def misnamed(policy: Policy) -> Iterator[Problem]:
    """Yield the rows that match nothing, or that an instrument opens otherwise than their @rule says."""
    for row in policy.rows:
        engine = policy.engine(row)
        asked = list(_questions(row))
        full = _matching(engine, [_with(each, *_INSTRUMENTS) for each in asked])
        own = (row.rule,) if row.rule in _INSTRUMENTS else ()
        if not any(full):
            yield Problem("SILENT", (row.number,), "no request reaches it")
        elif _matching(engine, [_with(each, *own) for each in asked]) != full:
            yield Problem("RULE", (row.number,), f"it doesn't do what {row.rule} says")
        elif own and any(_matching(engine, [_with(each, *_other(own)) for each in asked])):
            yield Problem("RULE", (row.number,), f"it opens without {row.rule}")


def conflicts(policy: Policy) -> Iterator[Problem]:
    """Yield each pair of rows of different rule that match one and the same request, with the first such request."""
    engines = {row: policy.engine(row) for row in policy.rows}
    for one, other in combinations(policy.rows, 2):
        if one.rule == other.rule or (one.number == _OWN_USE and other.rule in _INSTRUMENTS):
            continue
        asked = [_with(each, *_INSTRUMENTS) for each in _questions(one, other)]
        asked = [each for each, hit in zip(asked, _matching(engines[one], asked), strict=True) if hit]
        for both in (each for each, hit in zip(asked, _matching(engines[other], asked), strict=True) if hit):
            yield Problem("CONFLICT", (one.number, other.number), f"{one.rule} and {other.rule} for {_said(both)}")
            break


def _matching(engine: Engine, asked: list[Question]) -> list[bool]:
    return [bool(answer.policy_ids) for answer in engine.ask(asked)]


def _with(question: Question, *instruments: str) -> Question:
    consent, approval, glass = (each in instruments for each in _INSTRUMENTS)
    return replace(question, consent=consent, approval=approval, glass=glass)


def _other(own: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in _INSTRUMENTS if each not in own)


def _questions(*rows: Row) -> Iterator[Question]:
    """Yield the requests that all the rows can reach, without instruments; none if their grids don't meet."""
    roles, categories, purposes, kinds, owns = (_standing(axis, rows) for axis in WORDS)
    facts = sorted(frozenset[Fact]().union(*(row.facts for row in rows)))
    subsets = [frozenset(some) for size in range(len(facts) + 1) for some in combinations(facts, size)]
    for role, category, purpose, kind, own in product(roles, categories, purposes, kinds, owns):
        yield from (Question(role, category, purpose, kind, own == "true", known) for known in subsets)


def _standing(axis: str, rows: tuple[Row, ...]) -> list[str]:
    """Return the words of an axis to try: those named, and one for all the others."""
    shared = sorted(WORDS[axis].intersection(*(row.grid[axis] for row in rows)))
    if axis == "own_source" or (axis in ("principal", "purpose") and any(row.minds_purpose for row in rows)):
        return shared
    unnamed = [word for word in shared if not any((axis, word) in row.named for row in rows)]
    return [word for word in shared if word not in unnamed[1:]]


def _said(question: Question) -> str:
    facts = "".join(f", {fact}" for fact in sorted(question.facts))
    own = ", own source" if question.own_source else ""
    return f"{question.role}, {question.category}, {question.purpose}, source {question.source_kind}{own}{facts}"
