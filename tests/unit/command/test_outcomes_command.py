"""`leadx outcomes report`: what is asked, what is written where, and how a refusal ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from services.command.outcomes import command, fetch
from tests.unit.command.outcome_reports import a_report


class FakeDoor:
    """Answers as the test says; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.raises: Exception | None = None
        self.url = "https://exchange.invalid"

    def get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        self.asked.append((path, query))
        if self.raises is not None:
            raise self.raises
        return a_report()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> FakeDoor:
    made = FakeDoor()
    monkeypatch.setattr(command, "_door", lambda _data, _wishes: made)
    return made


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command.outcomes, ["report", *arguments])


def test_the_words_become_the_query(door: FakeDoor) -> None:
    done = _run(
        "--site", "seattle", "--as-of", "2026-10-31", "--definition", "arr_all", "--population", "ITT",
        "--window", "24m", "--clock", "liberty",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    wished = {
        "siteId": "seattle",
        "definition": "ARR_ALL",
        "population": "ITT",
        "window": "24m",
        "clock": "liberty",
        "asOfTime": "2026-10-31T23:59:59Z",
    }
    assert door.asked == [("/v1/outcomes/rearrest", wished)]


def test_who_says_nothing_leaves_it_to_the_exchange(door: FakeDoor) -> None:
    assert _run().exit_code == 0
    assert door.asked == [("/v1/outcomes/rearrest", {})]


def test_the_funnel_is_another_path(door: FakeDoor) -> None:
    assert _run("--funnel", "--site", "seattle", "--snapshot", "2026-Q3").exit_code == 0
    assert door.asked == [("/v1/outcomes/funnel", {"siteId": "seattle", "snapshot": "2026-Q3"})]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--funnel", "--definition", "ARR_ALL"),
        ("--definition", "NONSENSE"),
        ("--as-of", "yesterday"),
        ("--as-of", "2026-10-31T10:00:00"),
        ("--table", "events", "--format", "svg"),
        ("--table", "nonsense"),
        ("--out", "/nonexistent/folder/file.csv"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(door: FakeDoor, arguments: tuple[str, ...]) -> None:
    assert _run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("given", "time"),
    [
        ("2026-11-23", "2026-11-23T23:59:59Z"),
        ("2026-11-24", ""),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00+02:00", "2026-11-23T08:00:00Z"),
    ],
)
def test_a_day_is_its_end_and_today_is_now(given: str, time: str) -> None:
    assert command._as_of(given, datetime(2026, 11, 24, 15, tzinfo=UTC)) == time


def test_a_refusal_is_told_in_the_exchanges_own_words(door: FakeDoor) -> None:
    door.raises = fetch.Refused("Some fields are not acceptable.\n  siteId: a site that the own agency works on")
    done = _run("--site", "nowhere")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "siteId: a site that the own agency works on" in done.stderr


def test_an_exchange_that_does_not_answer_is_another_exit_code(door: FakeDoor) -> None:
    door.raises = fetch.Unreachable()
    assert _run().exit_code == 3


def test_text_is_what_one_gets_unless_one_asks(door: FakeDoor) -> None:
    assert "Who had an event" in _run().stdout


def test_json_is_what_the_exchange_said(door: FakeDoor) -> None:
    assert json.loads(_run("--format", "json").stdout) == a_report()


def test_csv_may_be_of_one_table(door: FakeDoor) -> None:
    assert _run("--table", "feeds").stdout_bytes == b"Agency\r\nsample-police\r\n"


@pytest.mark.parametrize(("name", "begins"), [("r.csv", b"#,report"), ("r.json", b"{"), ("r.txt", "╭".encode())])
def test_the_files_name_says_its_form(door: FakeDoor, tmp_path: Path, name: str, begins: bytes) -> None:
    done = _run("--out", str(tmp_path / name))
    assert (done.exit_code, done.stdout) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_form_that_is_asked_for_wins_over_the_files_name(door: FakeDoor, tmp_path: Path) -> None:
    _run("--out", str(tmp_path / "r.csv"), "--format", "json")
    assert json.loads((tmp_path / "r.csv").read_text("utf-8"))["title"]


def test_without_a_token_and_an_exchange_here_one_is_asked_for(tmp_path: Path) -> None:
    done = CliRunner(env={"LEADX_TOKEN": ""}).invoke(command.outcomes, ["report", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "A token is needed" in done.stderr


@pytest.mark.parametrize(
    ("status", "content", "text"),
    [
        (400, b'{"detail": "Some fields.", "violations": [{"path": "siteId", "wish": "a site"}]}', "siteId: a site"),
        (409, b'{"title": "Conflict", "detail": "Nothing can be counted here."}', "Nothing can be counted here."),
        (404, b'{"detail": "There is no such record."}', "There is no such record."),
        (502, b"<html>", "no JSON"),
        (200, b"[]", "no JSON"),
    ],
)
def test_what_is_no_report_is_a_refusal(status: int, content: bytes, text: str) -> None:
    with pytest.raises(fetch.Refused, match=text):
        fetch.report_in(status, content)


def test_a_report_is_taken_out_of_its_answer() -> None:
    assert fetch.report_in(200, b'{"report": {"title": "x"}, "accompaniment": {}}') == {"title": "x"}


def test_help_names_the_exit_codes() -> None:
    told = _run("--help").output
    assert "Exit code 0" in told
    assert isinstance(command.report, click.Command)
