"""The matrix as masks: what a role may see without a release, and what a release can open.

`visible = allow | (consent & granted)`. Masks are computed by Cedar once per distinct circumstances and kept, so that
Cedar is never on the hot path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Self

import cedarpy

from services.consent.policy.engine import Answer, Engine, Question
from services.consent.policy.facts import Fact
from services.consent.policy.rows import CATEGORIES, Row, alone, read
from services.shared.sharing.need import BITS
from services.shared.sharing.purposes import ALLOWED

# Circumstances kept; a few hundred occur, so this bounds nothing but a fault.
_KEPT = 4096


class PolicyError(ValueError):
    """The policy text is not what the schema allows; the message names policies, never persons."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What decided about a category: the row (0 is the default), its rule, the law and the reason in words."""

    row: int
    rule: str
    law: str
    reason: str


NO_ROW = Ruling(0, "deny", "", "no row names this cell")


@dataclass(frozen=True, slots=True)
class Masks:
    """Bits of the categories visible without a release, and of those visible where an active release covers them."""

    allow: int
    consent: int
    rule: Mapping[str, Ruling]
    """Category word to its ruling, for every category."""

    def visible(self, granted: int) -> int:
        """Return the bits visible to a recipient whose active releases cover the bits `granted`."""
        return self.allow | (self.consent & granted)


class Policy:
    """A version of the matrix. Immutable but for its memory of masks; threads may share it."""

    def __init__(self, text: str, schema: str) -> None:
        """Parse, but don't validate: `load` does. Raises PolicyError when either text can't be parsed."""
        try:
            policies, parsed = cedarpy.PolicySet.from_str(text), cedarpy.Schema.from_str(schema)
        except ValueError as error:
            raise PolicyError(str(error)) from error
        self.text = text
        self.schema_text = schema
        self.rows: tuple[Row, ...] = read(policies)
        self.version = _version(text, schema)
        self._by_id = {row.policy_id: row for row in self.rows}
        self._schema = parsed
        self._engine = Engine(policies, parsed)
        self._kept = lru_cache(maxsize=_KEPT)(self._masks)

    @classmethod
    def load(cls) -> Self:
        """Return the matrix of this release. Raises PolicyError when it is not valid under its schema."""
        folder = resources.files("services.consent.policy")
        schema = folder.joinpath("matrix.cedarschema").read_text("utf-8")
        policy = cls(folder.joinpath("matrix.cedar").read_text("utf-8"), schema)
        errors = policy.validation_errors()
        if errors:
            raise PolicyError("; ".join(errors))
        return policy

    def validation_errors(self) -> tuple[str, ...]:
        """Return what Cedar finds wrong with the policies under the schema, unknown words among it."""
        return tuple(str(error) for error in cedarpy.validate_policies(self.text, self.schema_text).errors)

    def masks(
        self,
        role: str,
        purpose: str,
        source_kind: str,
        own_source: bool,
        facts: frozenset[Fact] = frozenset(),
        *,
        approval: bool = False,
        glass: bool = False,
    ) -> Masks:
        """Return the masks of a matrix role for records of one kind of source, `none` for what no agency sourced.

        `own_source` says that the caller's agency is that source; `facts` are those known to be true. Any unknown word
        among them gives masks that show nothing.
        """
        return self._kept(Question(role, "", purpose, source_kind, own_source, facts, False, approval, glass))

    def ask(self, questions: Iterable[Question]) -> list[tuple[bool, tuple[Row, ...]]]:
        """Return per question whether it is allowed and which rows decided, by number."""
        return [(answer.allowed, self._rows(answer)) for answer in self._engine.ask(questions)]

    def engine(self, row: Row) -> Engine:
        """Return an engine that knows this row only, to ask whether the row itself matches."""
        return Engine(alone(row), self._schema)

    def _rows(self, answer: Answer) -> tuple[Row, ...]:
        found = (self._by_id[policy_id] for policy_id in answer.policy_ids)
        return tuple(sorted(found, key=lambda row: row.number))

    def _masks(self, about: Question) -> Masks:
        asked = [replace(about, category=category) for category in CATEGORIES if self._reached(about, category)]
        released = dict(zip(asked, self.ask(replace(each, consent=True) for each in asked), strict=True))
        open_ones = [each for each in asked if released[each][0]]
        plain = dict(zip(open_ones, self.ask(open_ones), strict=True))
        allow = [each.category for each in open_ones if plain[each][0]]
        consent = [each.category for each in open_ones if not plain[each][0]]
        rulings = dict.fromkeys(CATEGORIES, NO_ROW)
        for each in asked:
            decided = plain[each] if each.category in allow else released[each]
            rulings[each.category] = _ruling(decided[1])
        return Masks(_mask(allow), _mask(consent), MappingProxyType(rulings))

    def _reached(self, about: Question, category: str) -> bool:
        where = (about.role, category, about.purpose, about.source_kind, about.own_source)
        return any(row.reaches(*where) for row in self.rows)


def _mask(categories: Iterable[str]) -> int:
    return sum(BITS[category] for category in categories)


def _ruling(rows: tuple[Row, ...]) -> Ruling:
    if not rows:
        return NO_ROW
    return Ruling(rows[0].number, rows[0].rule, rows[0].law, rows[0].reason)


def _version(text: str, schema: str) -> str:
    """Return a short digest of all that decides: the rules, their words, and which purposes a role may name."""
    whole = json.dumps([text, schema, dict(ALLOWED)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
