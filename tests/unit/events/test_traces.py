from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.shared.telemetry import trace
from tests.unit.events.harness import World, an_event
from tests.unit.events.sample import IDENTITY, TOPIC, a_change


@pytest.fixture
def spans(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "spans.json"
    trace.configure("sample", f"file:{file}")
    yield file
    trace.shutdown()


def recorded(file: Path) -> dict[str, dict[str, Any]]:
    trace.shutdown()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {line["name"]: line for line in lines}


def test_from_a_request_the_way_to_the_consumer_is_found_by_links(world: World, spans: Path) -> None:
    world.consent.allow(IDENTITY)
    with trace.span("request") as request:
        context = request.get_span_context()
        asked = f"{context.trace_id:032x}"
        world.producer.put(an_event(a_change(name="Testa")))
    world.producer.relay.run_once()
    world.receiver().consume()
    found = recorded(spans)
    assert {"request", "outbox publish", "log append", "consume"} <= set(found)
    text = {name: json.dumps(span) for name, span in found.items()}
    assert asked in text["outbox publish"]
    assert asked in text["consume"]
    hop = world.log.records[TOPIC][0].headers["traceparent"].decode().split("-")[1]
    assert hop in text["log append"]
    assert hop in text["consume"]
    assert hop != asked


def test_spans_tell_nothing_about_the_person(world: World, spans: Path) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa", narrative="secret")))
    world.receiver().consume()
    trace.shutdown()
    for clear in ("Testa", "secret", "sub_1", "rec_1", "IDENTITY", "SampleChanged"):
        assert clear not in spans.read_text()
