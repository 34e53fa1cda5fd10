"""Tells people and programs what became of each record, while it happens and at the end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.command.push.records import REJECTED, Result

_COLORS = {REJECTED: "red", "STALE": "yellow", "UNCHANGED": "bright_black"}


class Report:
    """One line per record: a table for people, JSON lines with `as_json`; a bar on stderr where that is a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        """Nothing is written yet."""
        self._as_json = as_json
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=self._console, transient=True, disable=not self.shows)
        self._task = self._progress.add_task("", total=None)
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._progress.stop()

    @property
    def shows(self) -> bool:
        """Whether somebody watches the bar."""
        return self._console.is_terminal

    def begin(self, file: Path, total: int | None, before: Counter[str]) -> None:
        """Begin a file of `total` rows; `before` counts those that an earlier push sent."""
        self.outcomes += before
        self._progress.update(self._task, description=file.name, total=total, completed=before.total())
        if before.total():
            self.say(f"{file.name}: going on after {before.total()} records that were acknowledged before.")

    def result(self, file: Path, result: Result) -> None:
        """Tell what became of one record."""
        self.outcomes[result.outcome] += 1
        self._progress.advance(self._task)
        if self._as_json:
            click.echo(json.dumps({"file": file.name, **result.as_json()}))
            return
        word = click.style(f"{result.outcome:<16}", fg=_COLORS.get(result.outcome, "green"))
        click.echo(f"{result.number:>7}  {word} {result.key:<24} {result.record_id}".rstrip())
        for each in result.violations:
            click.echo(f"{'':>9}{each.path or 'it'}: {each.wish}")

    def say(self, text: str) -> None:
        """Say something that is no result, on stderr."""
        self._console.print(text, markup=False, highlight=False)

    def end(self, *, complete: bool) -> None:
        """Tell how many came out how."""
        total = self.outcomes.total()
        if self._as_json:
            click.echo(json.dumps({"summary": dict(self.outcomes), "records": total, "complete": complete}))
            return
        counted = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        click.echo(f"{total} records{': ' if counted else ''}{counted}.")
