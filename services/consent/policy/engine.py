"""Cedar itself: parsed once, asked in batches. Anything Cedar complains about is a denial."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import cedarpy

from services.consent.policy.facts import Fact
from services.shared.sharing.purposes import is_allowed, is_default

FLAGS = ("own_source", "allowed_purpose", "default_purpose", "consent", "approval", "glass")
"""The booleans of a request that are no facts."""

_NO_FACTS: dict[str, object] = {fact.value: False for fact in Fact}
_NO_ENTITIES = cedarpy.Entities.from_json_str("[]")


@dataclass(frozen=True, slots=True)
class Question:
    """May this role see this category, for this purpose, from this kind of source, in these circumstances?"""

    role: str
    category: str
    purpose: str
    source_kind: str = "none"
    own_source: bool = False
    facts: frozenset[Fact] = frozenset()
    consent: bool = False
    approval: bool = False
    glass: bool = False

    def request(self) -> dict[str, str]:
        """Return the question as Cedar wants it; whether a purpose is allowed is looked up, never passed in."""
        context: dict[str, object] = {
            "purpose": _word("Purpose", self.purpose),
            "source_kind": _word("SourceKind", self.source_kind),
            "own_source": self.own_source,
            "allowed_purpose": is_allowed(self.role, self.purpose),
            "default_purpose": is_default(self.role, self.purpose),
            "consent": self.consent,
            "approval": self.approval,
            "glass": self.glass,
            **_NO_FACTS,
            # A fact that the schema doesn't know stays in, so that Cedar refuses the request.
            **{str(fact): True for fact in self.facts},
        }
        return {
            "principal": f"Role::{json.dumps(self.role)}",
            "action": 'Action::"see"',
            "resource": f"Category::{json.dumps(self.category)}",
            "context": json.dumps(context),
        }


def _word(kind: str, word: str) -> dict[str, dict[str, str]]:
    return {"__entity": {"type": kind, "id": word}}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it may, and the ids of the policies that decided; none when the default or an error denied."""

    allowed: bool
    policy_ids: frozenset[str] = frozenset()


class Engine:
    """A policy set with its schema. Immutable, so threads may share it."""

    def __init__(self, policies: cedarpy.PolicySet, schema: cedarpy.Schema) -> None:
        """Keep both, parsed."""
        self._policies = policies
        self._schema = schema

    def ask(self, questions: Iterable[Question]) -> list[Answer]:
        """Return an answer per question, in order. An unknown word or any error denies."""
        requests = [question.request() for question in questions]
        results = cedarpy.is_authorized_batch(requests, self._policies, _NO_ENTITIES, self._schema)
        return [_answer(result) for result in results]


def _answer(result: cedarpy.AuthzResult) -> Answer:
    if result.diagnostics.errors:
        return Answer(allowed=False)
    return Answer(result.allowed, frozenset(result.diagnostics.reasons))
