"""From deliveries to printed tables: ten people, counted by hand, fifteen of each."""

from __future__ import annotations

import io
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from services.command.outcomes import sheet
from services.command.outcomes import text as printed
from services.command.outcomes.report import Report, from_json
from tests.integration.outcomes.bureau import Bureau
from tests.integration.outcomes.cohorts import feeds, ten_people

pytestmark = pytest.mark.slow


@pytest.fixture
def told(bureau: Bureau) -> Bureau:
    bureau.tell(*feeds(), *ten_people())
    return bureau


def _report(bureau: Bureau, **asked: Any) -> Report:
    return from_json(MessageToDict(bureau.rearrest(**asked)))


def _lines(report: Report) -> list[str]:
    out = io.StringIO()
    printed.show(report, out)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_the_text_report_says_what_was_counted_by_hand(told: Bureau) -> None:
    lines = _lines(_report(told, definition="ARR_ALL"))
    # 1, 3, 6 and 7 of ten; 5 dies without. By Wilson's formula 90 of 150 is 60.0% with 52.0% to 67.5%, and 75 of 150 is
    # 50.0% with 42.1% to 57.9%.
    assert "Arrest diversion LEAD exactly 60 90 15 75" in lines
    assert "Arrest diversion LEAD exactly 60.0% (52.0 to 67.5%) 50.0% (42.1 to 57.9%)" in lines
    # Aalen-Johansen, everybody followed: 60 of 150.
    assert any(line.startswith("Arrest diversion LEAD exactly 40.0%") for line in lines)


def test_with_the_link_score_lower_the_uncertain_arrest_counts_too(told: Bureau) -> None:
    lines = _lines(_report(told, definition="ARR_ALL"))
    assert any("0.85 75 75" in line for line in lines)
    assert any("1.00 60 90" in line for line in lines)


def test_without_warrants_there_is_one_of_ten_less(told: Bureau) -> None:
    assert "45 105 15 60" in "\n".join(_lines(_report(told, definition="ARR_NONWARRANT")))


def test_over_two_years_the_arrest_a_second_after_six_months_counts(told: Bureau) -> None:
    assert "75 75 15 90" in "\n".join(_lines(_report(told, definition="ARR_ALL", window="24m")))


def test_of_those_who_completed_intake_none_was_arrested(told: Bureau) -> None:
    report = _report(told, definition="ARR_NEWCONDUCT", population="COMPLETERS")
    assert "selected on completion" in report.title
    (events,) = [each for each in report.tables if each.id == "events"]
    # None of 30: a zero is a small cell like any other, and so is what would give it away.
    assert all(row[3].suppressed for row in events.rows)


def test_every_figure_says_what_it_was_counted_by(told: Bureau) -> None:
    report = _report(told, definition="ARR_ALL")
    for name in (
        "Definition", "SHA-256", "Population", "t0, arrest diversion", "Window", "Observed until", "Suppression",
        "Published reference",
    ):  # fmt: skip
        assert report.fact(name)
    assert "No comparison group: this is not an effect." in "\n".join(report.notes)


def test_the_same_report_in_csv_has_the_same_numbers(told: Bureau) -> None:
    report = _report(told, definition="ARR_ALL")
    line = next(row for row in sheet.one(sheet.tables_of(report)["events"]).splitlines() if row.startswith("Arrest"))
    assert line.startswith("Arrest diversion,LEAD,exactly,60,90,15,75")
