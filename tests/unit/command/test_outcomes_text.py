"""Tables for people: whole, aligned, and every figure with its interval."""

from __future__ import annotations

import io

import pytest

from services.command.outcomes import text
from services.command.outcomes.report import from_json
from tests.unit.command.outcome_reports import a_report


def _shown(**changes: object) -> list[str]:
    out = io.StringIO()
    text.show(from_json(a_report(**changes)), out)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_a_figure_and_its_interval_stand_together() -> None:
    assert "Arrest diversion LEAD 60 40.0% (33.3 to 46.7%)" in _shown()


def test_words_that_a_row_begins_with_are_not_said_twice() -> None:
    assert "Comparison suppressed –" in _shown()  # noqa: RUF001 - as the exchange writes it


def test_title_facts_and_notes_are_all_there() -> None:
    lines = "\n".join(_shown())
    for word in ("Arrests, everyone offered", "ARR_ALL, version 1", "Cells under 11", "this is not an effect"):
        assert word in lines


def test_a_frozen_report_says_of_which_quarter_it_is() -> None:
    lines = "\n".join(_shown(snapshotId="2026-Q4", digest="ab" * 32, frozenTime="2027-01-02T00:00:00Z"))
    for word in ("2026-Q4", "abab", "2027-01-02"):
        assert word in lines


@pytest.mark.parametrize("empty", ["tables", "curves", "notes", "facts"])
def test_a_report_may_lack_anything(empty: str) -> None:
    assert _shown(**{empty: []})


def test_markup_in_words_is_shown_as_it_is() -> None:
    assert any("[red]x[/red]" in line for line in _shown(title="[red]x[/red]"))
