"""CSV: numbers as numbers, one table after the other, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.command.outcomes import sheet
from services.command.outcomes.report import Cell, Report, Table, from_json
from tests.unit.command.outcome_reports import a_report

_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TEXTS = st.text(max_size=20) | st.builds(str.__add__, st.sampled_from(_STARTS), st.text(max_size=20))


def _read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        '=HYPERLINK("http://example.invalid")',
        "-",
        "+1a",
    ],
)
def test_what_begins_as_a_formula_gets_an_apostrophe(text: str) -> None:
    assert sheet.safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+2.5", "-0.001", "1e-7", "-3E+5", "0"])
def test_a_number_keeps_its_sign(text: str) -> None:
    assert sheet.safe(text) == text


@pytest.mark.parametrize("text", ["Seattle", "a=b", " =1", "'=1", "", "2027-02-01"])
def test_other_words_stay_as_they_are(text: str) -> None:
    assert sheet.safe(text) == text


@given(_TEXTS)
def test_no_cell_that_is_written_begins_as_a_formula(text: str) -> None:
    table = Table("t", text, (text,), ((Cell(text),),))
    report = Report(text, ((text, text),), (text,), (table,), ())
    for row in _read(sheet.whole(report)):
        for cell in row:
            assert not cell.startswith(_STARTS) or float(cell) is not None


@given(_TEXTS)
def test_every_text_comes_back_as_it_was_but_for_the_apostrophe(text: str) -> None:
    ((_,), (cell,)) = _read(sheet.one(Table("t", "", ("Column",), ((Cell(text),),)))) if text else (("",), ("",))
    assert cell in (text, f"'{text}")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_so_that_it_reads_as_itself(number: float) -> None:
    assert float(sheet.cell(Cell("", number))) == number


def test_a_whole_report_is_tables_one_below_the_other() -> None:
    rows = _read(sheet.whole(from_json(a_report())))
    heads = [row[1] for row in rows if row[:1] == ["#"]]
    assert heads == ["report", "facts", "notes", "events", "feeds", "curves"]
    begin = rows.index(["#", "events", "Who had an event"])
    assert rows[begin - 1] == []
    assert rows[begin + 1] == ["Door", "Arm", "With event", "Risk", "95% from", "95% to"]
    assert rows[begin + 2] == ["Arrest diversion", "LEAD", "60", "0.4", "0.333", "0.467"]
    assert rows[begin + 3] == ["Arrest diversion", "Comparison", "suppressed", "", "", ""]


def test_one_table_alone_is_plain_csv() -> None:
    table = sheet.tables_of(from_json(a_report()))["feeds"]
    assert sheet.one(table) == "Agency\r\nsample-police\r\n"
