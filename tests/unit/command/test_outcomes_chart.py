"""SVG: the same bytes for the same report, with the words that have to be read with it."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from services.command.outcomes.chart import caption, svg
from services.command.outcomes.report import from_json
from tests.unit.command.outcome_reports import a_report

pytestmark = pytest.mark.slow

_SVG = "{http://www.w3.org/2000/svg}"


def _words(drawing: bytes) -> str:
    root = ElementTree.fromstring(drawing)  # noqa: S314 - our own
    return " ".join("".join(each.itertext()) for each in root.iter(f"{_SVG}text"))


def test_the_same_report_is_the_same_bytes() -> None:
    assert svg(from_json(a_report())) == svg(from_json(a_report()))


def test_another_process_draws_the_same_bytes() -> None:
    code = (
        "import sys; from services.command.outcomes.chart import svg;"
        "from services.command.outcomes.report import from_json;"
        "from tests.unit.command.outcome_reports import a_report;"
        "sys.stdout.buffer.write(svg(from_json(a_report())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == svg(from_json(a_report()))


def test_no_date_stands_in_it() -> None:
    assert b"dc:date" not in svg(from_json(a_report()))


def test_each_curve_is_labelled_where_it_ends() -> None:
    words = _words(svg(from_json(a_report())))
    for word in ("Arrest diversion", "40.0%", "Community, LEAD", "5.0%"):
        assert word in words


def test_definition_and_suppression_stand_below() -> None:
    words = _words(svg(from_json(a_report())))
    for word in ("ARR_ALL, version 1", "Cells under 11", "No comparison group: this is not an effect."):
        assert word in words
        assert word in caption(from_json(a_report()))


def test_without_a_curve_the_drawing_says_why() -> None:
    assert "No curve may be shown" in _words(svg(from_json(a_report(curves=[]))))


def test_words_are_never_read_as_formulas() -> None:
    assert r"$\alpha$ & <b>" in _words(svg(from_json(a_report(title=r"$\alpha$ & <b>"))))
