"""`leadx bench`: measures ours beside a baseline, for each benchmark or for one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import click

from services.command.bench.row import Benchmark, Row, Step
from services.command.bench.several import Several, rows

# Id -> module with a BENCHMARK, imported when it is wanted. `decision` measures this process, so it goes first.
_IDS = ("decision", "gateway_path", "ingest_stream", "lists", "outcomes", "startup")
_MODULES = {name: f"services.command.bench.{name}" for name in _IDS}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@click.option("--only", type=click.Choice(list(_MODULES)), metavar="ID", help="Measure this one alone.")
def bench(as_json: bool, only: str | None) -> None:
    """Measure what the exchange costs, each figure beside a baseline taken in turn with it.

    A ratio is ours by baseline. Only ratios of one run may be compared, and none of them is a verdict: no exit code
    depends on them.

    \b
    Examples:
      leadx bench
      leadx bench --json --only gateway_path
    """
    found = measured([only] if only else list(_MODULES))
    if as_json:
        click.echo(json.dumps({"rows": [each.to_json() for each in found]}))
    else:
        _print(found)


def measured(names: Sequence[str]) -> list[Row]:
    """Measure these and return their rows. Raises ClickException when an exchange doesn't start, or a call fails."""
    import grpc

    from services.command.exchange import StartFailed

    benchmarks: dict[str, Benchmark | Several] = {name: import_module(_MODULES[name]).BENCHMARK for name in names}
    with _progress(sum(each.steps for each in benchmarks.values())) as step:
        try:
            return [found for name, each in benchmarks.items() for found in rows(name, each, step)]
        except StartFailed as error:
            raise click.ClickException(str(error)) from None
        except grpc.RpcError as error:
            raise click.ClickException(f"A call failed while it was measured: {error.code().name}.") from None


@contextmanager
def _progress(steps: int) -> Iterator[Step]:
    """Show on stderr how far it is, to somebody who looks."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Measuring", total=steps)
        yield lambda: progress.advance(task)


def _print(found: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "what", show_lines=True)
    for name in ("ours", "baseline", "unit", "ratio", "peak MB"):
        table.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True)
    for each in found:
        figures = (f"{each.ours:,g}", f"{each.baseline:,g}", each.unit, f"{each.ratio:,g}", f"{each.peak_mb:,.1f}")
        table.add_row(each.id, each.what, *figures)
    Console().print(table)
