"""The rows of the matrix as Cedar holds them: their notes, and the part of the matrix that each can touch at all.

The decision is always Cedar's. A row's grid only says where asking is worth while: it is read from the conditions
that name words outright and is never smaller than the row's true reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from cedarpy import PolicySet, pst
from lead.options.v1.words_pb2 import Purpose

from services.consent.policy.facts import Fact
from services.shared.sharing.need import BITS, KINDS
from services.shared.sharing.purposes import NO_ROLE, ROLES

RULES = ("allow", "consent", "approval", "glass", "deny")

CATEGORIES: tuple[str, ...] = tuple(BITS)
PURPOSES: tuple[str, ...] = tuple(name.removeprefix("PURPOSE_") for name, number in Purpose.items() if number != 0)
SOURCE_KINDS: tuple[str, ...] = tuple(sorted(KINDS))

WORDS: dict[str, frozenset[str]] = {
    "principal": frozenset((*ROLES, NO_ROLE)),
    "resource": frozenset(CATEGORIES),
    "purpose": frozenset(PURPOSES),
    "source_kind": frozenset(SOURCE_KINDS),
    "own_source": frozenset(("true", "false")),
}
"""Axis of the matrix, by its name in a Cedar request, to every word on it."""

AXES = {"Role": "principal", "Category": "resource", "Purpose": "purpose", "SourceKind": "source_kind"}
"""Entity type of the schema to the axis whose words it holds."""

_ID = re.compile(r"row-(\d{2})")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One policy: row number (0 if it has none), effect, notes, reach by axis, and the facts and words it names."""

    policy_id: str
    number: int
    effect: str
    rule: str
    law: str
    reason: str
    condition: str
    grid: dict[str, frozenset[str]]
    facts: frozenset[Fact]
    named: frozenset[tuple[str, str]]
    minds_purpose: bool
    policy: pst.Template

    def reaches(self, role: str, category: str, purpose: str, source_kind: str | None, own_source: bool) -> bool:
        """Tell whether the row may match this cell, for some source with None; False is certain, True worth asking."""
        own = "true" if own_source else "false"
        return (
            category in self.grid["resource"]
            and role in self.grid["principal"]
            and purpose in self.grid["purpose"]
            and (source_kind is None or source_kind in self.grid["source_kind"])
            and own in self.grid["own_source"]
        )


def read(policies: PolicySet) -> tuple[Row, ...]:
    """Return the rows of a parsed policy set, by row number."""
    found = [_row(policy_id, policy) for policy_id, policy in policies.to_pst().static_policies.items()]
    return tuple(sorted(found, key=lambda row: (row.number, row.policy_id)))


def alone(row: Row) -> PolicySet:
    """Return a policy set of this row only."""
    return PolicySet.from_pst(pst.PolicySet({}, {row.policy_id: row.policy}, ()))


def _row(policy_id: str, policy: pst.Template) -> Row:
    notes = policy.annotations
    number = _ID.fullmatch(notes.get("id", ""))
    attributes = {attribute for clause in policy.clauses for attribute in _attributes(clause)}
    return Row(
        policy_id=policy_id,
        number=int(number[1]) if number else 0,
        effect=policy.effect,
        rule=notes.get("rule", ""),
        law=notes.get("law", ""),
        reason=notes.get("reason", ""),
        condition=notes.get("condition", ""),
        grid=_grid(policy),
        facts=frozenset(fact for fact in Fact if fact.value in attributes),
        named=frozenset((AXES.get(str(entity.type), ""), entity.id) for entity in pst.entity_uids(policy)),
        minds_purpose=not attributes.isdisjoint(("allowed_purpose", "default_purpose")),
        policy=policy,
    )


def _grid(policy: pst.Template) -> dict[str, frozenset[str]]:
    grid = dict(WORDS)
    for axis, words in _limits(policy):
        grid[axis] &= words
    return grid


def _limits(policy: pst.Template) -> Iterator[tuple[str, frozenset[str]]]:
    for axis, scope in (("principal", policy.principal), ("resource", policy.resource)):
        if isinstance(scope, pst.ScopeEq) and isinstance(scope.entity, pst.EntityUid):
            yield axis, frozenset((scope.entity.id,))
    for clause in policy.clauses:
        yield from _narrow(clause.expr, isinstance(clause, pst.When))


def _narrow(expr: pst.Expr, holds: bool) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what follows for single axes when `expr` is `holds`; what isn't understood narrows nothing."""
    match expr:
        case pst.UnaryOp("not", arg):
            yield from _narrow(arg, not holds)
        case pst.BinaryOp("and" | "or" as op, left, right) if (op == "and") == holds:
            yield from _narrow(left, holds)
            yield from _narrow(right, holds)
        case pst.BinaryOp("contains", pst.Set(elements), target):
            yield from _words(target, elements, holds)
        case pst.BinaryOp("eq", target, value):
            yield from _words(target, (value,), holds)
        case pst.GetAttr(pst.Var("context"), "own_source"):
            yield "own_source", frozenset(("true" if holds else "false",))


def _words(target: pst.Expr, elements: tuple[pst.Expr, ...], holds: bool) -> Iterator[tuple[str, frozenset[str]]]:
    match target:
        case pst.Var("principal" | "resource" as axis) | pst.GetAttr(pst.Var("context"), axis) if axis in WORDS:
            words = frozenset(element.value.id for element in elements if isinstance(element, pst.EntityLit))
            if len(words) == len(elements):
                yield axis, words if holds else WORDS[axis] - words


def _attributes(node: object) -> Iterator[str]:
    match node:
        case pst.GetAttr(pst.Var("context"), attribute):
            yield attribute
        case tuple():
            for element in node:
                yield from _attributes(element)
        case _ if is_dataclass(node):
            for field in fields(node):
                yield from _attributes(getattr(node, field.name))
