"""`leadx policy matrix`: who may see what, under which law, for which reason."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from services.consent.policy.compile import Policy
    from services.consent.policy.matrix import Cell


@click.command()
@click.option("--role", default="", help="Only this role of the matrix, such as prosecutor or lead_cm.")
@click.option("--category", default="", help="Only this category, such as IDENTITY.")
@click.option("--purpose", default="", help="Only this purpose, such as DIVERSION_COORD.")
@click.option("--own", is_flag=True, help="For records of the asker's own agency, instead of others'.")
@click.option("--all", "with_denied", is_flag=True, help="Also what no release and no circumstance opens.")
@click.option("--json", "as_json", is_flag=True, help="Print the cells as JSON.")
def matrix(own: bool, with_denied: bool, as_json: bool, **wishes: str) -> None:
    """Show who may see what for which purpose: the rule, on what it depends, the law, the reason.

    Rules: `allow` without a release, `consent` with one that covers it, `approval` of research or audit, `glass` in an
    emergency, `deny` never. Each is what Cedar answers, not what a document says.

    \b
    Examples:
      leadx policy matrix --role prosecutor
      leadx policy matrix --category SUD_TREATMENT --purpose TREAT --all
    """
    from services.consent.policy.compile import Policy

    chosen = {name: word.lower() if name == "role" else word.upper() for name, word in wishes.items() if word}
    _check_words(chosen)
    loaded = Policy.load()
    cells = [cell for cell in _cells(loaded, own, chosen) if with_denied or cell.rule != "deny"]
    if as_json:
        click.echo(json.dumps({"version": loaded.version, "cells": [_told(cell) for cell in cells]}))
        return
    _show(cells, chosen)


def _cells(loaded: Policy, own: bool, chosen: dict[str, str]) -> list[Cell]:
    from services.consent.policy.matrix import cells
    from services.consent.policy.rows import CATEGORIES, PURPOSES
    from services.shared.sharing.purposes import ROLES

    axes = (("role", ROLES), ("category", CATEGORIES), ("purpose", PURPOSES))
    return cells(loaded, *([chosen[name]] if name in chosen else known for name, known in axes), own_source=own)


def _check_words(chosen: dict[str, str]) -> None:
    from services.consent.policy.rows import CATEGORIES, PURPOSES
    from services.shared.sharing.purposes import ROLES

    known = {"role": ROLES, "category": CATEGORIES, "purpose": PURPOSES}
    for name, word in chosen.items():
        if word not in known[name]:
            raise click.UsageError(f"--{name} is one of {', '.join(known[name])}.")


def _told(cell: Cell) -> dict[str, Any]:
    told = {key: value for key, value in asdict(cell).items() if key != "own_source"}
    return {**told, "ownSource": cell.own_source}


def _show(cells: list[Cell], chosen: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=" ".join(chosen.values()) or None, header_style="bold")
    names = [name for name in ("role", "category", "purpose") if name not in chosen]
    for name in (*names, "source", "rule", "row", "law", "reason"):
        table.add_column(name, overflow="fold", no_wrap=name in ("rule", "row"))
    for cell in cells:
        rows = ", ".join(map(str, cell.rows))
        words = [getattr(cell, name) for name in names]
        reason = f"{cell.reason} [if {cell.condition}]" if cell.condition else cell.reason
        table.add_row(*words, ", ".join(cell.sources) or "any", cell.rule, rows, cell.law, _plain(reason))
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table if cells else "Nothing of this is ever visible; --all tells why.")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
