from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from lead.envelope.v1.envelope_pb2 import SealedEvent, SealedSection

from services.command.install import database_url
from services.command.layout import Layout
from services.command.main import main
from services.command.migrate import upgrade
from services.review.models import METADATA
from services.shared.db import Database, make_engine
from services.shared.events import cloudevents
from services.shared.events.dead_letters import bury
from services.shared.events.embedded import EmbeddedWriter
from services.shared.events.log import Entry
from tests.support.clock import FakeClock

CLOCK = FakeClock()
ID = "evt_01940000-0000-7000-8000-000000000001"


def _headers(topic: str) -> dict[str, bytes]:
    return cloudevents.headers(cloudevents.envelope(ID, topic, CLOCK.now(), b"\x01" * 32))


def _append(layout: Layout, topic: str, value: bytes) -> None:
    writer = EmbeddedWriter(layout.event_log, topic, CLOCK)
    writer.append([Entry(topic, b"01" * 32, value, _headers(topic))])
    writer.close()


def run(layout: Layout, *words: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(main, ["events", *words, "--data", str(layout.data), "--json"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def test_an_event_is_shown_by_envelope_and_sizes_alone(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    event = SealedEvent(sections=[SealedSection(ciphertext=b"canary" * 40), SealedSection(ciphertext=b"c")])
    _append(layout, "referral", event.SerializeToString())
    (seen,) = run(layout, "tail")
    assert (seen["topic"], seen["id"], seen["type"]) == ("referral", ID, "lead.referral.event.v1")
    assert (seen["sections"], seen["bytes"], seen["key"]) == (2, [240, 1], "010101010101")
    assert "canary" not in json.dumps(seen)


def test_only_the_topic_that_is_asked_for_is_shown(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    for topic in ("referral", "review"):
        _append(layout, topic, SealedEvent().SerializeToString())
    assert [seen["topic"] for seen in run(layout, "tail", "--topic", "review")] == ["review"]
    assert run(layout, "tail", "--after", "1") == []


def test_a_record_that_is_no_event_is_shown_as_malformed(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    _append(layout, "referral", b"\xff\xff")
    assert run(layout, "tail")[0]["malformed"] is True


def test_a_topic_is_one_word(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["events", "tail", "--data", str(tmp_path), "--topic", "../secret"])
    assert done.exit_code == 2


def test_what_consumers_gave_up_on_is_listed_with_its_reason(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    url = database_url(layout.database("review"))
    upgrade("review", url)
    engine = make_engine(url)
    with Database(engine).write() as connection:
        table = METADATA.tables["dead_letter"]
        bury(connection, table, "referral", 7, _headers("referral"), ValueError("canary"), CLOCK.now())
    engine.dispose()
    (row,) = run(layout, "dead")
    assert (row["consumer"], row["topic"], row["position"]) == ("review", "referral", 7)
    assert (row["reason"], row["ce_id"]) == ("ValueError", ID)
    assert "canary" not in json.dumps(row)


def test_without_dead_letters_that_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["events", "dead", "--data", str(tmp_path)])
    assert (done.exit_code, done.output) == (0, "No consumer has given up on an event.\n")
