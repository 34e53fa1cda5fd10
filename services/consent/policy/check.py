"""What can't be right in a policy text: for `leadx policy check`. An empty list is a pass."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from services.consent.policy.compile import Policy
from services.consent.policy.engine import FLAGS
from services.consent.policy.facts import Fact
from services.consent.policy.overlap import conflicts, misnamed
from services.consent.policy.problem import Problem
from services.consent.policy.rows import AXES, RULES, WORDS, Row

_ENTITY = re.compile(r"entity\s+(\w+)\s+enum\s*\[([^\]]*)\]")
_FLAG = re.compile(r"^\s*(\w+)\s*:\s*Bool\b", re.MULTILINE)


def check(policy: Policy) -> list[Problem]:
    """Return what is wrong: unknown words, Cedar's findings, missing notes, and rows that contradict each other.

    Rows are compared only when words and notes are sound, since their comparison rests on both.
    """
    found = [*_words(policy.schema_text), *_notes(policy.rows)]
    found += [Problem("CEDAR", (), text) for text in policy.validation_errors()]
    return found or [*misnamed(policy), *conflicts(policy)]


def _words(schema: str) -> Iterator[Problem]:
    enums = {name: frozenset(re.findall(r'"(\w+)"', body)) for name, body in _ENTITY.findall(schema)}
    for entity, axis in AXES.items():
        for word in sorted(WORDS[axis] ^ enums.get(entity, frozenset())):
            yield Problem("WORDS", (), f"{entity} {word} is known to only one of schema and code")
    for word in sorted({*FLAGS, *Fact} ^ set(_FLAG.findall(schema))):
        yield Problem("WORDS", (), f"context {word} is known to only one of schema and code")


def _notes(rows: tuple[Row, ...]) -> Iterator[Problem]:
    for row in rows:
        where = (row.number,) if row.number else ()
        if not row.number:
            yield Problem("NOTES", (), f'{row.policy_id} has no @id("row-NN")')
        if row.rule not in RULES or (row.rule == "deny") != (row.effect == "forbid"):
            yield Problem("NOTES", where, f"@rule doesn't fit a {row.effect}")
        if not row.law or not row.reason:
            yield Problem("NOTES", where, "@law or @reason is missing")
    numbers = Counter(row.number for row in rows if row.number)
    for number in range(1, max(numbers, default=0) + 1):
        if numbers[number] != 1:
            yield Problem("NOTES", (number,), f"the row is there {numbers[number]} times")
