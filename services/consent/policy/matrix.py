"""The matrix as it really is: each cell's rule found by asking Cedar, explained by the notes of the rows that decided.

A cell is tried with every scope fact true and nothing withheld, first without any instrument, then with a release, an
approval, a break-glass. Its rule is the first of these that opens it. Kinds of source that no row tells apart share a
cell.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

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


def cells(
    policy: Policy,
    roles: Iterable[str] = ROLES,
    categories: Iterable[str] = CATEGORIES,
    purposes: Iterable[str] = PURPOSES,
    *,
    own_source: bool = False,
) -> list[Cell]:
    """Return the cells of these words, by role, category and purpose; a cell told apart by source comes in parts.

    With `own_source` the matrix of what roles may do with records of their own agency.
    """
    abouts = [Question(*words, own_source=own_source) for words in product(roles, categories, purposes)]
    return [part for parts in _told(policy, abouts) for part in parts]


def cell(
    policy: Policy, role: str, category: str, purpose: str, source_kind: str = "none", *, own_source: bool = False
) -> Cell:
    """Return the one cell for a kind of source. Raises KeyError when a word is unknown."""
    (parts,) = _told(policy, [Question(role, category, purpose, own_source=own_source)])
    for part in parts:
        if role in ROLES and category in CATEGORIES and purpose in PURPOSES and _covers(part, source_kind):
            return part
    raise KeyError("unknown word")


def _covers(part: Cell, source_kind: str) -> bool:
    return source_kind in (part.sources or SOURCE_KINDS)


_Near = tuple[Row, ...]
_Asking = Generator[tuple[Question, ...], list[tuple[bool, _Near]], Cell]
"""Finds out one cell: it yields what to ask Cedar, is sent the answers, and returns the cell."""


def _told(policy: Policy, abouts: Sequence[Question]) -> list[list[Cell]]:
    """Return the parts of each cell. Purposes that no row tells apart are asked about once."""
    groups = [list(_alike(policy, about)) for about in abouts]
    askings: dict[object, _Asking] = {}
    for about, kinds, near in _flat(abouts, groups):
        askings.setdefault(_key(about, kinds, near), _cell(replace(about, source_kind=kinds[0]), near))
    found = _together(policy, askings)
    told: list[list[Cell]] = []
    for about, split in zip(abouts, groups, strict=True):
        of_part: dict[Cell, list[str]] = {}
        for kinds, near in split:
            part = replace(found[_key(about, kinds, near)], purpose=about.purpose)
            of_part.setdefault(part, []).extend(kinds)
        told.append([replace(part, sources=_named(kinds, of_part)) for part, kinds in of_part.items()])
    return told


def _flat(
    abouts: Iterable[Question], groups: Iterable[list[tuple[tuple[str, ...], _Near]]]
) -> Iterator[tuple[Question, tuple[str, ...], _Near]]:
    for about, split in zip(abouts, groups, strict=True):
        yield from ((about, kinds, near) for kinds, near in split)


def _named(kinds: list[str], parts: Collection[Cell]) -> tuple[str, ...]:
    return tuple(sorted(kinds)) if len(parts) > 1 else ()


def _key(about: Question, kinds: tuple[str, ...], near: _Near) -> object:
    told_apart = any(row.minds_purpose or ("purpose", about.purpose) in row.named for row in near)
    return about.role, about.category, about.own_source, kinds[0], near, about.purpose if told_apart else ""


def _alike(policy: Policy, about: Question) -> Iterator[tuple[tuple[str, ...], _Near]]:
    """Yield the kinds of source that the same rows reach, with those rows: no row can tell them apart."""
    where = (about.role, about.category, about.purpose)
    rows = [row for row in policy.rows if row.reaches(*where, None, about.own_source)]
    groups: dict[_Near, list[str]] = {}
    for kind in SOURCE_KINDS:
        groups.setdefault(tuple(row for row in rows if kind in row.grid["source_kind"]), []).append(kind)
    for near, kinds in groups.items():
        yield tuple(kinds), near


def _together(policy: Policy, askings: Mapping[object, _Asking]) -> dict[object, Cell]:
    """Run all of them side by side, each round of questions in one batch."""
    found: dict[object, Cell] = {}
    waiting: dict[object, tuple[Question, ...]] = {}

    def go_on(key: object, answers: list[tuple[bool, _Near]] | None) -> None:
        try:
            waiting[key] = next(askings[key]) if answers is None else askings[key].send(answers)
        except StopIteration as end:
            found[key] = end.value

    for key in askings:
        go_on(key, None)
    while waiting:
        asked, waiting = waiting, {}
        answers = iter(policy.ask(question for each in asked.values() for question in each))
        for key, each in asked.items():
            go_on(key, list(islice(answers, len(each))))
    return found


def _cell(about: Question, near: _Near) -> _Asking:
    if not near:
        return _stated(about, "deny", (), ())
    best = replace(about, facts=WIDENING, consent=True, approval=True, glass=True)
    ((opens, rows),) = yield (best,)
    if not opens:
        return _stated(about, "deny", rows or (yield from _refusing(about, near)), ())
    asked, rule, deciding = yield from _first_opening(about)
    return _stated(about, rule, deciding, (yield from _decisive(asked, near)))


def _refusing(about: Question, near: _Near) -> Generator[tuple[Question, ...], list[tuple[bool, _Near]], _Near]:
    """Return the deny rows that speak where no fact holds, such as row 32 for who is no party to a release."""
    if all(row.effect == "permit" for row in near):
        return ()
    ((_, rows),) = yield (about,)
    return tuple(row for row in rows if row.effect == "forbid")


def _first_opening(
    about: Question,
) -> Generator[tuple[Question, ...], list[tuple[bool, _Near]], tuple[Question, str, _Near]]:
    plain = replace(about, facts=WIDENING)
    ladder = {
        "allow": plain,
        "consent": replace(plain, consent=True),
        "approval": replace(plain, approval=True),
        "glass": replace(plain, glass=True),
    }
    answers = yield tuple(ladder.values())
    for (rule, asked), (opens, rows) in zip(ladder.items(), answers, strict=True):
        if opens:
            return asked, rule, rows
    raise PolicyError(f"{about.role}, {about.category}, {about.purpose} needs two instruments at once")


def _decisive(
    asked: Question, near: _Near
) -> Generator[tuple[Question, ...], list[tuple[bool, _Near]], tuple[Fact, ...]]:
    """Return the facts that alone change the answer: when taken from all, added to none, or withholding."""
    named = sorted({fact for row in near for fact in row.facts}, key=list(Fact).index)
    if not named:
        return ()
    trials: list[Question] = [replace(asked, facts=frozenset())]
    for fact in named:
        trials += (replace(asked, facts=asked.facts ^ {fact}), replace(asked, facts=frozenset({fact})))
    (bare, *changed) = [opens for opens, _ in (yield tuple(trials))]
    trials_of = zip(named, changed[::2], changed[1::2], strict=True)
    return tuple(fact for fact, toggled, alone in trials_of if not toggled or (alone and not bare))


def _stated(about: Question, rule: str, rows: tuple[Row, ...], facts: tuple[Fact, ...]) -> Cell:
    numbers = tuple(row.number for row in rows)
    condition, law, reason = (_joined(getattr(row, note) for row in rows) for note in ("condition", "law", "reason"))
    where = (about.role, about.category, about.purpose, about.own_source, ())
    return Cell(*where, rule, numbers, facts, condition, law, reason or NO_ROW.reason)


def _joined(notes: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(note for note in notes if note))
