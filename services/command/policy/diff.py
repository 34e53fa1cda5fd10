"""`leadx policy diff`: what another sharing matrix would have changed in the decisions that were made."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.command.policy.log import DATA, reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from services.consent.policy.compile import Policy

Cell = tuple[str, str, str]
"""Matrix role, category and purpose."""

_RULES, _SCHEMA = "matrix.cedar", "matrix.cedarschema"


@click.command()
@click.option(
    "--against",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="The other matrix: a .cedar file, or a folder with matrix.cedar. Its schema lies beside it, or is this one's.",
)
@DATA
@click.option("--json", "as_json", is_flag=True, help="Print the cells as JSON.")
def diff(against: Path, data: Path, as_json: bool) -> None:
    """Ask another matrix about every stored decision, and count what it would have shown more, and what less.

    Counts are by role, category and purpose, over the decisions of a running or a stopped exchange; nothing is changed.
    Exit code 1 when anything widens, so that a change of the policy can be held up until somebody has looked at it.

    \b
    Example:
      leadx policy diff --against proposed/matrix.cedar
    """
    other = _policy(against)
    with reading(data) as connection:
        wider, narrower, counts = _compared(connection, other)
    cells = sorted(wider.keys() | narrower.keys())
    if as_json:
        rows = [
            {"role": role, "category": category, "purpose": purpose, "wider": wider[cell], "narrower": narrower[cell]}
            for cell in cells
            for role, category, purpose in [cell]
        ]
        click.echo(json.dumps({"version": other.version, **counts, "cells": rows}))
    else:
        _show(cells, wider, narrower)
        click.echo(f"{counts['compared']} decisions compared, {counts['notReplayable']} could not be.")
        click.echo(f"{wider.total()} widen, {narrower.total()} narrow under version {other.version}.")
    sys.exit(1 if wider else 0)


def _policy(path: Path) -> Policy:
    """Return the other matrix. Raises ClickException with what Cedar says of it."""
    from services.consent.policy.compile import Policy, PolicyError

    rules = path / _RULES if path.is_dir() else path
    beside = [one for one in (rules.with_suffix(".cedarschema"), rules.with_name(_SCHEMA)) if one.is_file()]
    try:
        schema = beside[0].read_text("utf-8") if beside else Policy.load().schema_text
        found = Policy(rules.read_text("utf-8"), schema)
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(f"{rules} can't be read.") from None
    except PolicyError as error:
        raise click.ClickException(f"{rules} is no policy: {error}") from None
    if errors := found.validation_errors():
        raise click.ClickException("\n".join((f"{rules} does not hold under its schema:", *errors)))
    return found


def _compared(connection: Connection, other: Policy) -> tuple[Counter[Cell], Counter[Cell], dict[str, int]]:
    from services.consent import history
    from services.consent.replay import under
    from services.shared.sharing.need import words

    wider, narrower, counts = Counter[Cell](), Counter[Cell](), {"compared": 0, "notReplayable": 0}
    for past in history.decisions(connection):
        changed = under(past, other)
        if changed is None or past.basis is None:
            counts["notReplayable"] += 1
            continue
        counts["compared"] += 1
        role, purpose = past.basis.role, past.basis.purpose
        for counter, bits in zip((wider, narrower), changed, strict=True):
            counter.update((role, word, purpose) for word in words(bits))
    return wider, narrower, counts


def _show(cells: list[Cell], wider: Counter[Cell], narrower: Counter[Cell]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(header_style="bold")
    for name in ("role", "category", "purpose"):
        table.add_column(name)
    for name in ("widens", "narrows"):
        table.add_column(name, justify="right")
    for cell in cells:
        table.add_row(*cell, *(str(counter[cell] or "") for counter in (wider, narrower)))
    console: Any = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table if cells else "Nothing that was decided would have been decided otherwise.")
