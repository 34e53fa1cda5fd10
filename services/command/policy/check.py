"""`leadx policy check`: whether the sharing matrix is sound."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what is wrong as JSON.")
def check(as_json: bool) -> None:
    """Validate the matrix: its words, its notes, Cedar's findings, rows that contradict each other.

    Exit code 1 when something is wrong.

    \b
    Example:
      leadx policy check
    """
    from services.consent.policy import check as checking
    from services.consent.policy import coverage
    from services.consent.policy.compile import Policy, PolicyError

    try:
        loaded = Policy.load()
        problems = [*checking.check(loaded), *coverage.uncovered(loaded)]
        version, rows, texts = loaded.version, len(loaded.rows), [asdict(each) for each in problems]
    except PolicyError as error:
        version, rows, problems, texts = "", 0, [], [{"kind": "CEDAR", "rows": (), "text": str(error)}]
    if as_json:
        click.echo(json.dumps({"version": version, "rows": rows, "problems": texts}))
    elif texts:
        for each in texts:
            where = f" row {', '.join(map(str, each['rows']))}" if each["rows"] else ""
            click.echo(f"{each['kind']}{where}: {each['text']}")
    else:
        click.echo(f"The matrix holds: {rows} rows, version {version}.")
    sys.exit(1 if texts else 0)
