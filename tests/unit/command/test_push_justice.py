from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from services.command.main import main
from services.command.push import faces as real
from services.command.push import state
from services.command.push.faces import Faces, Patience
from services.command.push.justice import Event, JusticePusher, batches
from services.command.push.report import Report
from services.command.push.sender import PushRefused

DECLARED = {"completeFrom": "2026-01-01T00:00:00Z", "completeThrough": "2026-02-01T00:00:00Z"}


@dataclass
class FakeFaces:
    """Takes events by their record id; says what the test wants of one, and is interrupted once if told so."""

    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    interrupted_at: int = 0
    bodies: list[Any] = field(default_factory=list)

    def post_json(self, path: str, data: bytes, patience: Patience) -> Any:
        assert path == "/v1/justiceEvents"
        self.bodies.append(json.loads(data))
        if len(self.bodies) == self.interrupted_at:
            raise KeyboardInterrupt
        told = [self._told(each) for each in self.bodies[-1].get("events", ())]
        return {"results": told, "feed": {**DECLARED, "note": "a note"}}

    def _told(self, event: dict[str, Any]) -> dict[str, Any]:
        record = event["source"]["recordId"]
        fine = {"recordKey": f"s/{record}", "outcome": "JUSTICE_EVENT_OUTCOME_CREATED", "justiceEventId": "jev_1"}
        return {**fine, **self.outcomes.get(record, {})}


def an_event(number: int, **changes: Any) -> dict[str, Any]:
    kind = "JUSTICE_EVENT_KIND_ARREST"
    return {"source": {"system": "s", "recordId": f"A-{number}", "version": "1"}, "kind": kind, **changes}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "arrests.ndjson"
    path.write_text("".join(json.dumps(an_event(number)) + "\n" for number in range(1200)))
    return path


def push(file: Path, faces: FakeFaces, declared: dict[str, str] | None = None) -> Counter[str]:
    report = Report(as_json=True)
    pusher = JusticePusher(cast(Faces, faces), Patience(1.0, lambda _: None), report, declared or {}, file)
    pusher.file(file, state.beside(file))
    return report.outcomes


def test_events_go_in_batches_and_each_has_its_result(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = FakeFaces()
    assert push(file, faces) == {"CREATED": 1200}
    assert [len(body["events"]) for body in faces.bodies] == [500, 500, 200]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, 1201))
    assert lines[0]["recordId"] == "jev_1"
    assert not state.beside(file).exists()


def test_a_push_that_was_interrupted_goes_on_with_the_batch_that_nobody_answered(file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        push(file, FakeFaces(interrupted_at=2))
    second = FakeFaces()
    assert push(file, second) == {"CREATED": 1200}
    assert [len(body["events"]) for body in second.bodies] == [500, 200]


def test_the_declaration_comes_last_of_all(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = FakeFaces()
    push(file, faces, DECLARED)
    assert faces.bodies[-1] == DECLARED
    assert len(faces.bodies) == 4
    assert "a note" in capsys.readouterr().err


REJECTED = {"outcome": "JUSTICE_EVENT_OUTCOME_REJECTED"}


def test_nothing_is_declared_while_an_event_is_missing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = FakeFaces({"A-7": {**REJECTED, "violations": [{"path": "time", "wish": "must be given"}]}})
    assert push(file, faces, DECLARED)["REJECTED"] == 1
    assert DECLARED not in faces.bodies
    assert "Not declared" in capsys.readouterr().err


def test_what_was_never_sent_and_is_taken_back_is_missing_nowhere(file: Path) -> None:
    wish = "UNKNOWN_RECORD: a record that was sent before"
    faces = FakeFaces({"A-7": {**REJECTED, "violations": [{"path": "source.recordId", "wish": wish}]}})
    push(file, faces, DECLARED)
    assert faces.bodies[-1] == DECLARED


def test_a_row_that_is_no_event_is_told_and_never_sent(tmp_path: Path) -> None:
    file = tmp_path / "mixed.ndjson"
    file.write_text('{"broken\n' + json.dumps(an_event(1)) + "\n" + json.dumps(an_event(2, plate="secret")) + "\n")
    faces = FakeFaces()
    assert push(file, faces, DECLARED) == {"CREATED": 1, "REJECTED": 2}
    (body,) = faces.bodies
    assert [each["source"]["recordId"] for each in body["events"]] == ["A-1"]


@given(st.lists(st.integers(0, 300_000), max_size=30))
def test_batches_keep_the_order_and_their_bounds(sizes: list[int]) -> None:
    events = [Event(number, "x" * size) for number, size in enumerate(sizes, 1)]
    cut = list(batches(events))
    assert [each for batch in cut for each in batch] == events
    for batch in cut:
        assert len(batch) == 1 or sum(len(each.text) for each in batch) <= 512 * 1024


def _answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> Faces:
    plain = httpx.Client

    def client(**settings: Any) -> httpx.Client:
        return plain(transport=httpx.MockTransport(answer), **{**settings, "verify": True})

    monkeypatch.setattr(httpx, "Client", client)
    return real.Faces("https://exchange.example", "", None, lambda: "t")


def test_a_declaration_that_goes_back_is_told_in_the_exchanges_words(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"detail": "no", "violations": [{"path": "completeThrough", "wish": "not before the last end"}]}
    faces = _answering(monkeypatch, lambda _: httpx.Response(400, json=problem))
    with pytest.raises(PushRefused, match="completeThrough: not before the last end"):
        faces.post_json("/v1/justiceEvents", b"{}", Patience(1.0))


def test_a_batch_is_tried_again_while_the_exchange_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [httpx.Response(503), httpx.Response(200, json={"results": []})]
    kinds: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        kinds.append(request.headers["content-type"])
        return answers.pop(0)

    faces = _answering(monkeypatch, answer)
    assert faces.post_json("/v1/justiceEvents", b"{}", Patience(9.0, lambda _: None)) == {"results": []}
    assert kinds == ["application/json"] * 2


def test_a_declaration_is_of_justice_events(file: Path) -> None:
    done = CliRunner().invoke(main, ["push", str(file), "--token", "t", "--complete-through", "2026-02-01T00:00:00Z"])
    assert done.exit_code == 2
    assert "--justice" in done.output
