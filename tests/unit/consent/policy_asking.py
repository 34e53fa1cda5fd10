"""Asking the matrix in one line."""

from __future__ import annotations

from functools import cache

from services.consent.policy.compile import Policy, Ruling
from services.consent.policy.facts import Fact
from services.shared.sharing.need import BITS, words

EVERYTHING = sum(BITS.values())


@cache
def the_policy() -> Policy:
    """Return the matrix of this release, loaded once."""
    return Policy.load()


def seen(
    role: str,
    purpose: str,
    source: str = "none",
    *facts: Fact,
    own: bool = False,
    release: bool = False,
    approval: bool = False,
    glass: bool = False,
) -> set[str]:
    """Return the categories a role sees; with `release`, one that covers every category is active."""
    masks = the_policy().masks(role, purpose, source, own, frozenset(facts), approval=approval, glass=glass)
    return set(words(masks.visible(EVERYTHING if release else 0)))


def ruling(role: str, category: str, purpose: str, source: str = "none", *facts: Fact, own: bool = False) -> Ruling:
    """Return what decides about one category."""
    return the_policy().masks(role, purpose, source, own, frozenset(facts)).rule[category]
