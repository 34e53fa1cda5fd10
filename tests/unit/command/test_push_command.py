from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from click.testing import CliRunner
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.main import main
from services.command.push import faces as real
from services.command.push import state
from services.command.push.command import Pusher
from services.command.push.faces import Faces, Patience, target_beside
from services.command.push.records import Result
from services.command.push.report import Report
from services.command.push.sender import PushRefused, Unreachable


@dataclass
class FakeFaces:
    """Answers `answered` records, then is interrupted as by Ctrl-C, once; what it was sent is kept."""

    answered: int = 1_000_000
    sent: list[str] = field(default_factory=list)

    def push(self, messages: Iterator[pb.PushReferralsRequest]) -> Iterable[pb.PushReferralsResponse]:
        for message in islice(messages, self.answered):
            self.sent.append(message.record_key)
            yield pb.PushReferralsResponse(outcome=pb.PUSH_OUTCOME_CREATED, referral_id=f"ref_{message.record_key}")
        if self.answered < 1_000_000:
            raise KeyboardInterrupt

    def import_incidents(self, data: bytes, patience: Patience) -> list[Result]:
        return [Result(1, "ZZ0000100", "CREATED", "inc_1")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "day.ndjson"
    path.write_text("".join(json.dumps({"siteId": "seattle", "incidentNumber": str(n)}) + "\n" for n in range(10)))
    return path


def push(file: Path, faces: FakeFaces) -> Report:
    report = Report(as_json=True)
    Pusher(cast(Faces, faces), Patience(1.0, lambda _: None), report).file(file, state.beside(file))
    return report


def test_a_push_that_was_interrupted_goes_on_after_what_was_acknowledged(file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        push(file, FakeFaces(answered=4))
    second = FakeFaces()
    report = push(file, second)
    assert second.sent == ["5", "6", "7", "8", "9", "10"]
    assert report.outcomes == {"CREATED": 10}


def test_a_file_that_is_through_leaves_no_state_and_is_sent_whole_again(file: Path) -> None:
    push(file, FakeFaces())
    assert not state.beside(file).exists()
    again = FakeFaces()
    push(file, again)
    assert len(again.sent) == 10


def test_a_file_that_has_changed_is_sent_from_its_beginning(file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        push(file, FakeFaces(answered=4))
    file.write_text(file.read_text() + '{"siteId": "seattle"}\n')
    second = FakeFaces()
    push(file, second)
    assert len(second.sent) == 11


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"version": 9}', '{"version": 1, "sha256": 5}'])
def test_a_state_that_cannot_be_read_counts_as_none(file: Path, broken: str) -> None:
    state.beside(file).write_text(broken)
    assert state.State.load(state.beside(file), state.digest(file)).through == 0


def test_a_state_holds_positions_and_counts_and_nothing_of_the_records(file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        push(file, FakeFaces(answered=4))
    kept = json.loads(state.beside(file).read_text())
    assert set(kept) == {"version", "sha256", "through", "outcomes"}
    assert state.beside(file).stat().st_mode & 0o777 == 0o600


def test_a_nibrs_file_is_imported_whole(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_bytes(b'<s xmlns="http://fbi.gov/cjis/nibrs/4.2"/>')
    assert push(file, FakeFaces()).outcomes == {"CREATED": 1}


def test_the_grpc_face_is_looked_for_beside_the_http_face() -> None:
    assert target_beside("https://exchange.example:8080") == "exchange.example:8081"
    assert target_beside("https://[::1]:9") == "[::1]:10"
    assert target_beside("https://exchange.example") == "exchange.example:444"
    for wrong in ("http://exchange.example:8080", "exchange:8080", ""):
        with pytest.raises(ValueError, match="https"):
            target_beside(wrong)


def test_without_a_token_nothing_is_sent(file: Path) -> None:
    done = CliRunner().invoke(main, ["push", str(file)], env={"LEADX_TOKEN": ""})
    assert done.exit_code == 2
    assert "--token" in done.output


def test_an_exchange_that_does_not_answer_is_exit_code_3_and_the_way_on_is_told(file: Path) -> None:
    words = ["push", str(file), "--url", "https://127.0.0.1:1", "--patience", "0", "--token", "t"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 3
    assert "call it again" in done.output


def _answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> Faces:
    plain = httpx.Client

    def client(**settings: Any) -> httpx.Client:
        return plain(transport=httpx.MockTransport(answer), **{**settings, "verify": True})

    monkeypatch.setattr(httpx, "Client", client)
    return real.Faces("https://exchange.example", "", None, lambda: "t")


def test_an_import_that_is_refused_as_a_whole_is_one_rejected_record(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"detail": "no", "violations": [{"path": "file", "wish": "a NIBRS submission"}]}
    faces = _answering(monkeypatch, lambda _: httpx.Response(400, json=problem))
    (told,) = faces.import_incidents(b"<x/>", Patience(1.0))
    assert (told.outcome, told.violations[0].wish) == ("REJECTED", "a NIBRS submission")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_import_by_somebody_who_may_not_is_refused(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    faces = _answering(monkeypatch, lambda _: httpx.Response(status, json={"detail": "not for you"}))
    with pytest.raises(PushRefused, match="not for you"):
        faces.import_incidents(b"<x/>", Patience(1.0))


def test_an_import_is_tried_again_while_the_exchange_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [httpx.Response(503), httpx.Response(429), httpx.Response(200, json={"results": [{"recordKey": "a"}]})]
    waits: list[float] = []
    faces = _answering(monkeypatch, lambda _: answers.pop(0))
    assert faces.import_incidents(b"<x/>", Patience(9.0, waits.append))[0].key == "a"
    assert waits == [0.2, 0.4]


def test_patience_ends_when_nothing_is_answered_and_begins_anew_with_an_answer() -> None:
    now = [0.0]
    patience = Patience(10.0, lambda seconds: now.__setitem__(0, now[0] + seconds), lambda: now[0])
    patience.pause(6)
    patience.progress()
    patience.pause(6)
    patience.pause(6)
    with pytest.raises(Unreachable):
        patience.pause(6)
