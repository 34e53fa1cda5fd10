from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from services.command.bench import command
from services.command.bench.row import Benchmark, Measured, Step
from services.command.bench.several import Several
from services.command.exchange import StartFailed


def a_benchmark(ours: float, steps: int = 2) -> Benchmark:
    def measure(step: Step) -> Measured:
        for _ in range(steps):
            step()
        return Measured(ours, 10.0, 1.5)

    return Benchmark("what it is", "1/s", steps, measure)


@pytest.fixture
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {"first": "sample_bench_first", "second": "sample_bench_second"}
    for number, module in enumerate(modules.values(), start=1):
        monkeypatch.setitem(sys.modules, module, SimpleNamespace(BENCHMARK=a_benchmark(float(number))))
    monkeypatch.setattr(command, "_MODULES", modules)


def test_an_unknown_id_is_refused_and_the_known_ones_are_named() -> None:
    result = CliRunner().invoke(command.bench, ["--only", "sealed_events"])
    assert result.exit_code == 2
    for name in ("gateway_path", "decision", "ingest_stream", "lists", "startup"):
        assert name in result.stderr


@pytest.mark.usefixtures("_two")
def test_json_is_all_that_stdout_holds() -> None:
    result = CliRunner().invoke(command.bench, ["--json"])
    assert result.exit_code == 0
    assert [(row["id"], row["ratio"]) for row in json.loads(result.stdout)["rows"]] == [("first", 0.1), ("second", 0.2)]


@pytest.mark.usefixtures("_two")
def test_a_benchmark_of_several_figures_has_a_row_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"over one": Measured(1.0, 2.0, 1.0), "over four": Measured(3.0, 4.0, 1.0)}
    several = Several("1/s", 1, lambda _: figures)
    monkeypatch.setitem(sys.modules, "sample_bench_first", SimpleNamespace(BENCHMARK=several))
    result = CliRunner().invoke(command.bench, ["--json"])
    rows = [(row["id"], row["what"], row["ratio"]) for row in json.loads(result.stdout)["rows"]]
    assert rows == [("first", "over one", 0.5), ("first", "over four", 0.75), ("second", "what it is", 0.2)]


@pytest.mark.usefixtures("_two")
def test_nothing_is_drawn_where_nobody_looks() -> None:
    assert CliRunner().invoke(command.bench, ["--json"]).stderr.strip() == ""


@pytest.mark.usefixtures("_two")
def test_the_table_tells_ids_and_figures() -> None:
    result = CliRunner().invoke(command.bench, [])
    assert result.exit_code == 0
    for word in ("first", "second", "0.1", "0.2", "1.5"):
        assert word in result.stdout


@pytest.mark.usefixtures("_two")
def test_only_one_is_measured_when_one_is_named() -> None:
    rows = command.measured(["second"])
    assert [each.id for each in rows] == ["second"]


@pytest.mark.usefixtures("_two")
def test_a_start_that_failed_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(_: Step) -> Measured:
        raise StartFailed("audit does not start.")

    monkeypatch.setitem(
        sys.modules, "sample_bench_first", SimpleNamespace(BENCHMARK=Benchmark("what", "s", 1, measure))
    )
    result = CliRunner().invoke(command.bench, [])
    assert result.exit_code == 1
    assert "audit does not start." in result.stderr
