"""A funnel as the public may see it (evaluation.md, "Release of figures")."""

from __future__ import annotations

from dataclasses import replace

from services.outcomes.evaluation.funnel_report import STEPS, Funnel, Steps
from services.outcomes.evaluation.suppression import Cell, Sum, hidden, rounded
from services.outcomes.evaluation.wording import SUPPRESSION

Key = tuple[str, str, str]
"""Door, month or ALL, step; a step's complement in its whole ends on " not"."""

_ALL, _NOT = "ALL", " not"
_COUNTS = ("referred", *STEPS)


def to_public_funnel(funnel: Funnel) -> Funnel:
    """Return the funnel with small cells and complements hidden, over steps, months and reasons, and all else rounded.

    Raises ValueError for one that is public already.
    """
    if funnel.public:
        raise ValueError("the funnel is public already")
    cells: dict[Key, Cell] = {}
    for each in funnel.steps:
        cells.update(_cells(each))
    sums = [*_within(funnel), *_over_months(funnel), *_reasons(funnel, cells)]
    gone = hidden(cells, sums)
    return replace(
        funnel,
        steps=tuple(_steps(each, gone) for each in funnel.steps),
        declined=tuple(
            replace(each, count=_shown((each.door, _ALL, f"declined: {each.reason}"), each.count, gone))
            for each in funnel.declined
        ),
        suppression=SUPPRESSION,
        public=True,
    )


def _cells(steps: Steps) -> dict[Key, Cell]:
    # A month is missed less than all months, a later step less than the referrals.
    worth = 2 if steps.month is None else 0
    found = {_key(steps, each): Cell(steps.count(each) or 0, worth + (each == "referred")) for each in _COUNTS}
    for step, whole in STEPS.items():
        rest = (steps.count(whole) or 0) - (steps.count(step) or 0)
        found[_key(steps, step + _NOT)] = Cell(rest, shown=False)
    return found


def _key(steps: Steps, name: str) -> Key:
    return (steps.door, steps.month or _ALL, name)


def _within(funnel: Funnel) -> list[Sum[Key]]:
    return [
        Sum(_key(each, whole), (_key(each, step), _key(each, step + _NOT)))
        for each in funnel.steps
        for step, whole in STEPS.items()
    ]


def _over_months(funnel: Funnel) -> list[Sum[Key]]:
    names = (*_COUNTS, *(step + _NOT for step in STEPS))
    doors = dict.fromkeys(each.door for each in funnel.steps)
    months = {door: [each for each in funnel.steps if each.door == door and each.month] for door in doors}
    return [
        Sum((door, _ALL, name), tuple(_key(each, name) for each in months[door])) for door in doors for name in names
    ]


def _reasons(funnel: Funnel, cells: dict[Key, Cell]) -> list[Sum[Key]]:
    """Reasons add up to all that were declined, and these and all others to the referrals; neither is shown."""
    sums = []
    for door in dict.fromkeys(each.door for each in funnel.declined):
        counts = {
            (door, _ALL, f"declined: {each.reason}"): each.count or 0 for each in funnel.declined if each.door == door
        }
        cells.update({key: Cell(count, worth=1) for key, count in counts.items()})
        rest: Key = (door, _ALL, "declined" + _NOT)
        cells[rest] = Cell(cells[door, _ALL, "referred"].value - sum(counts.values()), shown=False)
        sums.append(Sum((door, _ALL, "referred"), (*counts, rest)))
    return sums


def _steps(steps: Steps, gone: frozenset[Key]) -> Steps:
    counts = {each: _shown(_key(steps, each), steps.count(each), gone) for each in _COUNTS}
    return Steps(door=steps.door, month=steps.month, **counts)


def _shown(key: Key, count: int | None, gone: frozenset[Key]) -> int | None:
    return None if count is None or key in gone else rounded(count)
