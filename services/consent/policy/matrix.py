"""The matrix as it really is: each cell's rule found by asking Cedar, explained by the notes of the rows that decided.

A cell is tried with every scope fact true and nothing withheld, first without any instrument, then with a release, an
approval, a break-glass. Its rule is the first of these that opens it. Kinds of source that no row tells apart share a
cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from services.consent.policy.compile import NO_ROW, Policy, PolicyError
from services.consent.policy.engine import Question
from services.consent.policy.facts import WIDENING, Fact
from services.consent.policy.rows import CATEGORIES, PURPOSES, SOURCE_KINDS, Row
from services.shared.sharing.purposes import ROLES


@dataclass(frozen=True, slots=True)
class Cell:
    """What holds for a role, a category and a purpose, for records of other agencies or of the role's own.

    `sources` are the kinds of source for which it holds, empty for all; `rows` are the numbers of the rows that decide,
    empty for the default; `facts` are those that the answer depends on.
    """

    role: str
    category: str
    purpose: str
    own_source: bool
    sources: tuple[str, ...]
    rule: str
    rows: tuple[int, ...]
    facts: tuple[Fact, ...]
    condition: str
    law: str
    reason: str


def cells(policy: Policy, *, own_source: bool = False) -> Iterator[Cell]:
    """Yield every cell of the matrix, by role, category and purpose; a cell told apart by source comes in parts.

    With `own_source` the matrix of what roles may do with records of their own agency.
    """
    for role, category, purpose in product(ROLES, CATEGORIES, PURPOSES):
        yield from _parts(policy, Question(role, category, purpose, own_source=own_source))


def cell(
    policy: Policy, role: str, category: str, purpose: str, source_kind: str = "none", *, own_source: bool = False
) -> Cell:
    """Return the one cell for a kind of source. Raises KeyError when a word is unknown."""
    for part in _parts(policy, Question(role, category, purpose, own_source=own_source)):
        if role in ROLES and category in CATEGORIES and purpose in PURPOSES and _covers(part, source_kind):
            return part
    raise KeyError("unknown word")


def _covers(part: Cell, source_kind: str) -> bool:
    return source_kind in (part.sources or SOURCE_KINDS)


def _parts(policy: Policy, about: Question) -> list[Cell]:
    kinds_by_part: dict[Cell, list[str]] = {}
    for kinds, rows in _alike(policy, about):
        found = _cell(policy, replace(about, source_kind=kinds[0]), rows)
        kinds_by_part.setdefault(found, []).extend(kinds)
    if len(kinds_by_part) == 1:
        return list(kinds_by_part)
    return [replace(part, sources=tuple(sorted(kinds))) for part, kinds in kinds_by_part.items()]


def _alike(policy: Policy, about: Question) -> Iterator[tuple[list[str], tuple[Row, ...]]]:
    """Yield the kinds of source that the same rows reach, with those rows: no row can tell them apart."""
    groups: dict[tuple[Row, ...], list[str]] = {}
    for kind in SOURCE_KINDS:
        where = (about.role, about.category, about.purpose, kind, about.own_source)
        groups.setdefault(tuple(row for row in policy.rows if row.reaches(*where)), []).append(kind)
    for rows, kinds in groups.items():
        yield kinds, rows


def _cell(policy: Policy, about: Question, near: tuple[Row, ...]) -> Cell:
    if not near:
        return _stated(about, "deny", (), ())
    best = replace(about, facts=WIDENING, consent=True, approval=True, glass=True)
    ((opens, rows),) = policy.ask((best,))
    if not opens:
        return _stated(about, "deny", rows or _refusing(policy, about, near), ())
    asked, rule, deciding = _first_opening(policy, about)
    return _stated(about, rule, deciding, _decisive(policy, asked, near))


def _refusing(policy: Policy, about: Question, near: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return the deny rows that speak where no fact holds, such as row 32 for who is no party to a release."""
    if all(row.effect == "permit" for row in near):
        return ()
    ((_, rows),) = policy.ask((about,))
    return tuple(row for row in rows if row.effect == "forbid")


def _first_opening(policy: Policy, about: Question) -> tuple[Question, str, tuple[Row, ...]]:
    plain = replace(about, facts=WIDENING)
    ladder = {
        "allow": plain,
        "consent": replace(plain, consent=True),
        "approval": replace(plain, approval=True),
        "glass": replace(plain, glass=True),
    }
    for (rule, asked), (opens, rows) in zip(ladder.items(), policy.ask(ladder.values()), strict=True):
        if opens:
            return asked, rule, rows
    raise PolicyError(f"{about.role}, {about.category}, {about.purpose} needs two instruments at once")


def _decisive(policy: Policy, asked: Question, near: Iterable[Row]) -> tuple[Fact, ...]:
    """Return the facts that alone change the answer: when taken from all, added to none, or withholding."""
    named = sorted({fact for row in near for fact in row.facts}, key=list(Fact).index)
    if not named:
        return ()
    trials: list[Question] = [replace(asked, facts=frozenset())]
    for fact in named:
        trials += (replace(asked, facts=asked.facts ^ {fact}), replace(asked, facts=frozenset({fact})))
    (bare, *changed) = [opens for opens, _ in policy.ask(trials)]
    trials_of = zip(named, changed[::2], changed[1::2], strict=True)
    return tuple(fact for fact, toggled, alone in trials_of if not toggled or (alone and not bare))


def _stated(about: Question, rule: str, rows: tuple[Row, ...], facts: tuple[Fact, ...]) -> Cell:
    numbers = tuple(row.number for row in rows)
    condition, law, reason = (_joined(getattr(row, note) for row in rows) for note in ("condition", "law", "reason"))
    where = (about.role, about.category, about.purpose, about.own_source, ())
    return Cell(*where, rule, numbers, facts, condition, law, reason or NO_ROW.reason)


def _joined(notes: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(note for note in notes if note))
