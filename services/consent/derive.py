"""From what is given to what is visible: the last step of a decision, and the whole of its replay. No IO.

Everything that a decision follows from is in a `Basis`, so that a stored one gives the same answer years later
(architecture section 5, "Replayable").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.consent.policy.compile import Masks, Policy
from services.consent.policy.facts import Fact
from services.shared.sharing.need import BITS, words


@dataclass(frozen=True)
class Granted:
    """What one release gives this recipient, from this source and for this purpose, at that moment."""

    consent_id: str
    version: int
    categories: int


@dataclass(frozen=True)
class Basis:
    """What the policy is asked with. `barred` names what ended the matter before: then nothing is visible.

    It is NO_SUCH_AGENCY, PURPOSE or NO_AGREEMENT, or empty. `granted` are the releases that serve, oldest first.
    """

    role: str
    purpose: str
    source_kind: str
    source_part2: str
    own_source: bool
    facts: frozenset[Fact]
    agency_kind: str = ""
    approval_id: str = ""
    granted: tuple[Granted, ...] = ()
    barred: str = ""


@dataclass(frozen=True)
class Ground:
    """Categories that are visible together: by which row of the matrix, and on which release or approval."""

    categories: int
    row: int
    rule: str
    law: str
    consent_id: str = ""
    consent_version: int = 0
    approval_id: str = ""


def derive(policy: Policy, basis: Basis) -> tuple[Ground, ...]:
    """Return on what each visible category rests, disjoint; empty is a denial."""
    if basis.barred:
        return ()
    masks = policy.masks(
        basis.role,
        basis.purpose,
        basis.source_kind,
        basis.own_source,
        basis.facts,
        approval=bool(basis.approval_id),
    )
    return (*_allowed(masks, basis), *_consented(masks, basis))


def visible(grounds: tuple[Ground, ...]) -> int:
    """Return the mask of all of them."""
    return sum(one.categories for one in grounds)


def _allowed(masks: Masks, basis: Basis) -> Iterator[Ground]:
    for bits, row, rule, law in _by_row(masks, masks.allow):
        yield Ground(bits, row, rule, law, approval_id=basis.approval_id if rule == "approval" else "")


def _consented(masks: Masks, basis: Basis) -> Iterator[Ground]:
    wanted = masks.consent & ~masks.allow
    for one in basis.granted:
        serving = wanted & one.categories
        for bits, row, rule, law in _by_row(masks, serving):
            yield Ground(bits, row, rule, law, one.consent_id, one.version)
        wanted &= ~serving


def _by_row(masks: Masks, categories: int) -> Iterator[tuple[int, int, str, str]]:
    rows: dict[tuple[int, str, str], int] = {}
    for word in words(categories):
        ruling = masks.rule[word]
        key = (ruling.row, ruling.rule, ruling.law)
        rows[key] = rows.get(key, 0) | BITS[word]
    for (row, rule, law), bits in sorted(rows.items()):
        yield bits, row, rule, law
