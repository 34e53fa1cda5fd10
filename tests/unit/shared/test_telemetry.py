"""Traces, log and metrics let through what is on their lists and nothing else."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from services.shared.telemetry import log, metrics, sql, trace

CANARY = "Testa Sample"


@pytest.fixture
def spans(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "spans.jsonl"
    trace.configure("referral", f"file:{path}")
    yield path
    trace.shutdown()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("referral", "DEBUG", stream)
    yield stream
    root.handlers[:], root.level = before


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_span_is_a_line_with_ids_parent_service_and_links(spans: Path) -> None:
    far = trace.fresh_traceparent()
    with trace.span("outer", kind="consumer", links=[far, "", "broken"]), trace.span("inner"):
        pass
    inner, outer = lines(spans)
    assert inner["parent"] == outer["span_id"]
    assert inner["trace_id"] == outer["trace_id"]
    assert (outer["name"], outer["kind"], outer["service"], outer["parent"]) == ("outer", "consumer", "referral", "")
    assert [f"00-{link['trace_id']}-{link['span_id']}-01" for link in outer["links"]] == [far]


def test_only_its_owner_may_read_the_spans(spans: Path) -> None:
    assert spans.stat().st_mode & 0o777 == 0o600


def test_attributes_that_are_not_listed_are_dropped(spans: Path) -> None:
    with trace.span("work", attributes={"rpc.method": "Decide", "person.name": CANARY}) as current:
        current.set_attribute("leadx.count", 3)
        current.set_attribute("note", CANARY)
    assert lines(spans)[0]["attributes"] == {"rpc.method": "Decide", "leadx.count": 3}


def test_an_exception_leaves_its_class_and_not_its_text(spans: Path) -> None:
    def work() -> None:
        with trace.span("work") as current:
            current.add_event(CANARY)
            raise ValueError(CANARY)

    with pytest.raises(ValueError, match=CANARY):
        work()
    line = lines(spans)[0]
    assert (line["status"], line["attributes"]) == ("ERROR", {"error.type": "ValueError"})
    assert CANARY not in spans.read_text()


def test_a_name_of_other_than_plain_words_is_dropped(spans: Path) -> None:
    with trace.span('lookup "Testä"'):
        pass
    assert lines(spans)[0]["name"] == "unnamed"


def test_a_trace_goes_on_over_headers(spans: Path) -> None:
    with trace.span("here"):
        sent = trace.inject([("x-other", "1"), ("traceparent", "old")])
        assert dict(sent) == {"x-other": "1", "traceparent": trace.current_traceparent()}
    for carried in (sent, [(name, str(value).encode()) for name, value in sent]):
        with trace.span("there", parent=trace.extract(carried)):
            pass
    here, *there = lines(spans)
    assert {each["parent"] for each in there} == {here["span_id"]}
    assert {each["trace_id"] for each in there} == {here["trace_id"]}


def test_a_fresh_traceparent_joins_nothing(spans: Path) -> None:
    with trace.span("here"):
        assert trace.fresh_traceparent().split("-")[1] != trace.current_traceparent().split("-")[1]


@given(st.text(max_size=60) | st.binary(max_size=60) | st.just("00-" + "0" * 32 + "-" + "0" * 16 + "-01"))
def test_any_other_header_starts_a_new_trace(value: str | bytes) -> None:
    with trace.span("there", parent=trace.extract([("traceparent", value)])):
        assert trace.current_traceparent() == ""


def test_without_exporter_traces_of_others_pass_through() -> None:
    trace.configure("referral", "none")
    sent = trace.fresh_traceparent()
    assert not trace.recording()
    with trace.span("here", parent=trace.extract([("traceparent", sent)])):
        assert dict(trace.inject([]))["traceparent"] == sent
    assert trace.current_traceparent() == ""


@pytest.mark.parametrize("exporter", ["", "file:", "stdout", "otlp:", "otlp:http://collector.example:4317", "otlp:x"])
def test_an_exporter_that_would_leave_the_machine_in_the_clear_is_refused(exporter: str) -> None:
    with pytest.raises(ValueError, match=r"exporter|collector"):
        trace.configure("referral", exporter)


def test_a_collector_on_loopback_is_accepted() -> None:
    trace.configure("referral", "otlp:http://127.0.0.1:9")
    assert trace.recording()
    trace.shutdown()


def test_a_statement_is_traced_without_its_values(spans: Path) -> None:
    engine = create_engine("sqlite://")
    sql.listen(engine)
    with engine.begin() as connection:
        connection.execute(text("create table person (name text)"))
        connection.execute(text("insert into person values (:name)"), [{"name": CANARY}])
        assert connection.execute(text("select name from person where name = :name"), {"name": CANARY}).scalar()
    found = [line["attributes"] for line in lines(spans)]
    assert [each["db.operation.name"] for each in found] == ["CREATE", "INSERT", "SELECT"]
    assert found[2]["db.query.text"] == "select name from person where name = ?"
    assert CANARY not in spans.read_text()
    engine.dispose()


def test_a_statement_that_fails_ends_its_span(spans: Path) -> None:
    engine = create_engine("sqlite://")
    sql.listen(engine)
    with engine.connect() as connection:
        with pytest.raises(OperationalError):
            connection.execute(text("select :name from nothing"), {"name": CANARY})
        assert trace.current_traceparent() == ""
    line = lines(spans)[0]
    assert (line["status"], line["attributes"]["error.type"]) == ("ERROR", "OperationalError")
    assert CANARY not in spans.read_text()
    engine.dispose()


def test_a_log_line_has_its_event_and_the_listed_fields(written: io.StringIO) -> None:
    logging.getLogger("services.referral").info("relay.published", extra={"count": 3, "name_of_person": CANARY})
    line = json.loads(written.getvalue())
    assert (line["event"], line["count"], line["service"], line["level"]) == ("relay.published", 3, "referral", "INFO")
    assert CANARY not in written.getvalue()


def test_a_log_line_carries_no_argument_and_no_exception_text(written: io.StringIO) -> None:
    logger = logging.getLogger("services.referral")
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            raise ValueError(CANARY) from cause
    except ValueError:
        logger.exception("work.failed %s", CANARY)
    line = json.loads(written.getvalue())
    assert line["event"] == "work.failed %s"
    assert line["error_class"] == "ValueError from KeyError"
    assert "test_telemetry.py" in line["error_at"]
    assert CANARY not in written.getvalue()


def test_what_libraries_log_is_told_by_place_alone(written: io.StringIO) -> None:
    logging.getLogger("somelibrary").warning(f"person {CANARY}")  # noqa: G004 - what libraries do
    line = json.loads(written.getvalue())
    assert line["logger"] == "somelibrary"
    assert "test_telemetry.py" in line["at"]
    assert CANARY not in written.getvalue()


def test_chatty_libraries_stay_quiet_at_debug(written: io.StringIO) -> None:
    logging.getLogger("kafka.producer").debug(CANARY)
    assert written.getvalue() == ""


def test_a_log_line_names_its_trace(written: io.StringIO) -> None:
    sent = trace.fresh_traceparent()
    with trace.span("here", parent=trace.extract([("traceparent", sent)])):
        logging.getLogger("gateway").info("x")
    assert json.loads(written.getvalue())["trace_id"] == sent.split("-")[1]


def test_every_metric_is_rendered_and_none_twice() -> None:
    metrics.DECISIONS.labels("deny").inc()
    metrics.decisions_made(held=2, asked=1)
    rendered = metrics.render().decode()
    for metric in metrics.ALL:
        assert f"# TYPE {metric._name}" in rendered
    assert len({metric._name for metric in metrics.ALL}) == len(metrics.ALL)


def test_workers_of_one_service_add_up(tmp_path: Path) -> None:
    count = "from services.shared.telemetry import metrics; metrics.DECISIONS.labels('deny').inc(2)"
    show = "from services.shared.telemetry import metrics; print(metrics.render().decode())"
    for _ in range(2):
        _python(count, tmp_path)
    assert 'leadx_decisions_total{outcome="deny"} 4.0' in _python(show, tmp_path)


def _python(code: str, folder: Path) -> str:
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": "protos/gen:."}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return done.stdout
