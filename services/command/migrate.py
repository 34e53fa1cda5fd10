"""`leadx migrate`: brings databases to the newest revision, or tells what is pending."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from services.command.configured import CONFIG, ConfigUnusable, configuration
from services.command.layout import DEFAULT_DATA, PROCESSES, Layout

_WHAT = click.Choice([*PROCESSES, "all"])


@click.command()
@click.argument("what", type=_WHAT, metavar="AREA|gateway|all")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when something is pending.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_DATA, show_default=True)
@click.option("--config", "path", type=CONFIG, help="Configuration of one process, instead of a data folder's.")
@click.option("--json", "as_json", is_flag=True, help="Print the revisions as JSON.")
def migrate(what: str, check: bool, data: Path, path: Path | None, as_json: bool) -> None:
    """Bring the database of an area, or of all, to the newest revision.

    \b
    Examples:
      leadx migrate all
      leadx migrate review --check --config /etc/leadx/review.toml
    """
    if path is not None and what == "all":
        raise click.UsageError("--config is of one process: name it instead of `all`.")
    found = dict(_revisions(what, data, path, check))
    if as_json:
        click.echo(json.dumps({"pending" if check else "applied": found}))
    else:
        for process, revisions in found.items():
            click.echo(f"{process}: {_told(revisions, check)}")
    sys.exit(1 if check and any(found.values()) else 0)


def upgrade(process: str, url: str) -> list[str]:
    """Bring one database to the newest revision; returns what was applied. Raises SQLAlchemyError."""
    return _with_engine(process, url, check=False)


def _revisions(what: str, data: Path, path: Path | None, check: bool) -> Iterator[tuple[str, list[str]]]:
    for process in PROCESSES if what == "all" else (what,):
        config = configuration(process, path or Layout.at(data).config(process))
        yield process, _tried(process, config.database_url, check)


def _tried(process: str, url: str, check: bool) -> list[str]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return _with_engine(process, url, check=check)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise ConfigUnusable(f"{process}: the database cannot be used ({type(cause).__name__}).") from None


def _with_engine(process: str, url: str, *, check: bool) -> list[str]:
    from services.shared.db import make_engine, migrations

    engine = make_engine(url, schema=process)
    try:
        return migrations.check(process, engine) if check else migrations.upgrade(process, engine)
    finally:
        engine.dispose()


def _told(revisions: list[str], check: bool) -> str:
    if not revisions:
        return "current"
    return f"{'pending' if check else 'applied'} {', '.join(revisions)}"
