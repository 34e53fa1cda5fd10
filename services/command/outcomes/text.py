"""A report as tables for people, on a terminal or in a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from services.command.outcomes.report import NOTHING, Cell, Curve, Report, Table

# In a file, where nobody's window says how wide it is.
_WIDTH = 120
_LOW, _HIGH = "95% from", "95% to"
_BARS = "▁▂▃▄▅▆▇█"


def show(report: Report, stream: TextIO) -> None:
    """Write the whole report; colours only where a terminal shows them."""
    console = Console(file=stream, width=None if stream is sys.stdout and stream.isatty() else _WIDTH, highlight=False)
    console.print(_head(report))
    for each in report.tables:
        console.print()
        console.print(_fitting(each, console))
    if report.curves:
        console.print()
        console.print(_curves(report.curves))
    if report.notes:
        console.print()
        console.print(Group(*_notes(report.notes)))


def _head(report: Report) -> RenderableType:
    facts = Grid.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in report.facts:
        facts.add_row(Text(name), Text(value))
    return Panel(facts, title=Text(report.title, style="bold"), title_align="left", border_style="dim")


def _fitting(table: Table, console: Console) -> Grid:
    """Return a table with every figure on one line, unless the window is too narrow for that."""
    grid = _table(table, keeps_lines=True)
    fits = console.measure(grid).minimum <= console.width
    return grid if fits else _table(table, keeps_lines=False)


def _table(table: Table, *, keeps_lines: bool) -> Grid:
    grid = _grid(table.title)
    columns = list(_columns(table.columns))
    for place, width in columns:
        numbers = any(row[place].number is not None or row[place].suppressed for row in table.rows)
        name = f"{table.columns[place]} (95%)" if width > 1 else table.columns[place]
        longest = max((len(_shown(row[place : place + width])) for row in table.rows), default=0)
        least = longest if numbers and keeps_lines else None
        grid.add_column(Text(name), justify="right" if numbers else "left", overflow="fold", min_width=least)
    before: tuple[Cell, ...] = ()
    for row in table.rows:
        grid.add_row(*_row(row, before, columns))
        before = row
    return grid


def _grid(title: str) -> Grid:
    return Grid(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


def _row(row: Sequence[Cell], before: Sequence[Cell], columns: Sequence[tuple[int, int]]) -> Iterator[Text]:
    """Yield what is printed; words that a row begins with are not said again below."""
    is_same = True
    for place, width in columns[:-1]:
        is_same = is_same and row[place].number is None and row[: place + 1] == before[: place + 1]
        yield Text("") if is_same else _shown(row[place : place + width])
    place, width = columns[-1]
    yield _shown(row[place : place + width])


def _columns(names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield (place, width): a figure and the two ends of its interval share a column."""
    place = 0
    while place < len(names):
        width = 3 if tuple(names[place + 1 : place + 3]) == (_LOW, _HIGH) else 1
        yield place, width
        place += width


def _shown(cells: Sequence[Cell]) -> Text:
    first, *ends = cells
    if first.suppressed or first.text in ("", NOTHING):
        return Text(first.text, style="dim")
    if not ends or any(each.text in ("", NOTHING) for each in ends):
        return Text(first.text)
    return Text.assemble(first.text, (f" ({ends[0].text.removesuffix('%')} to {ends[1].text})", "dim"))


def _curves(curves: Sequence[Curve]) -> Grid:
    grid = _grid("Risk over time")
    for name in ("Group", "Steps", "Last step"):
        grid.add_column(name)
    highest = max(point.risk for curve in curves for point in curve.points)
    for curve in curves:
        last = curve.points[-1]
        bars = "".join(_bar(point.risk / highest if highest else 0.0) for point in curve.points)
        grid.add_row(Text(curve.title), Text(bars), Text(f"{last.risk * 100:.1f}% within {last.days:.0f} days"))
    return grid


def _bar(share: float) -> str:
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


def _notes(notes: Sequence[str]) -> Iterator[RenderableType]:
    for note in notes:
        yield Padding(Text(f"* {note}"), (0, 0, 0, 1))
