"""`leadx outcomes report`: what became of people, as tables, CSV, SVG or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from services.command.layout import DEFAULT_DATA, Layout
from services.command.token import NoToken, Wanted, mint
from services.outcomes.domain import CLOCKS, DEFINITIONS, POPULATIONS, WINDOWS

if TYPE_CHECKING:
    from services.command.outcomes.fetch import Door
    from services.command.outcomes.report import Report

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMATS = ("text", "csv", "svg", "json")
_REFUSED, _UNREACHED = 1, 3


@click.group()
def outcomes() -> None:
    """What became of people, in figures that say how they were counted."""


@outcomes.command()
@click.option("--site", help="Site; may be left out by whoever works on one alone.")
@click.option(
    "--as-of",
    help="Count what had happened by then: YYYY-MM-DD (its end, in UTC) or an RFC 3339 time. Now, unless given.",
)
@click.option("--definition", type=click.Choice(DEFINITIONS, case_sensitive=False), help="What counts as an event.")
@click.option("--population", type=click.Choice(POPULATIONS, case_sensitive=False), help="Who is counted.")
@click.option("--window", type=click.Choice(WINDOWS, case_sensitive=False), help="How long is looked.")
@click.option("--clock", type=click.Choice(CLOCKS, case_sensitive=False), help="Calendar time, or time at liberty.")
@click.option("--snapshot", help="A published quarter such as 2026-Q3, or latest, instead of counting now.")
@click.option("--funnel", is_flag=True, help="From referral to intake, instead of arrests.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="text, unless the name of --out says another.")
@click.option("--table", "table_id", help="Only this table, as CSV.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; replaced.")
@click.option("--url", help="The exchange's HTTP address; https://localhost:8080, or the one that runs from --data.")
@click.option("--cacert", type=_FILE, help="PEM file of the authority to trust; else those of this machine.")
@click.option("--token", envvar="LEADX_TOKEN", help="Bearer token; or set LEADX_TOKEN.")
@click.option("--token-file", type=_FILE, help="File with the token.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_DATA, show_default=True,
              help="Folder of a development exchange: used when no token is given.")  # fmt: skip
def report(
    form: str | None, table_id: str | None, out: Path | None, funnel: bool, data: Path, **wishes: Any
) -> None:  # fmt: skip
    """Report new arrests of a site's people, or how they came in.

    The headline is ARR_OR_DIVERTED of ITT over 6 months. Programme office and evaluator count live; everybody else who
    may ask reads the published snapshot. Small counts are suppressed for all.

    Exit code 0: done. 1: the exchange refused, in its own words. 2: not usable. 3: the exchange did not answer.

    \b
    Examples:
      leadx outcomes report --site seattle --as-of 2026-10-31 --definition ARR_OR_DIVERTED
      leadx outcomes report --site seattle --definition ARR_NEWCONDUCT --population COMPLETERS --window 24m
      leadx outcomes report --site seattle --snapshot latest --format csv --out arrests.csv
      leadx outcomes report --site seattle --funnel
    """
    from services.command.outcomes.fetch import Refused, Unreachable

    chosen = form or _form_of(out, table_id)
    if table_id and chosen != "csv":
        raise click.UsageError("--table is for CSV.")
    path, query = _asked(wishes, funnel=funnel)
    door = _door(data, wishes)
    try:
        answer = door.get(path, query)
    except Refused as error:
        click.echo(str(error), err=True)
        sys.exit(_REFUSED)
    except Unreachable:
        click.echo(f"{door.url} does not answer. Is the exchange running, and is --cacert its authority?", err=True)
        sys.exit(_UNREACHED)
    _write(_rendered(answer, chosen, table_id), out)


def _asked(wishes: dict[str, Any], *, funnel: bool) -> tuple[str, dict[str, str]]:
    """Return path and query."""
    only = ("definition", "population", "window", "clock")
    if funnel and (given := [name for name in only if wishes[name]]):
        raise click.UsageError(f"--funnel has no --{given[0]}.")
    names = {"site": "siteId", "snapshot": "snapshot", **({} if funnel else {name: name for name in only})}
    query = {field: str(wishes[name]) for name, field in names.items() if wishes[name]}
    if wishes["as_of"] and (as_of := _as_of(wishes["as_of"], datetime.now(UTC))):
        query["asOfTime"] = as_of
    return f"/v1/outcomes/{'funnel' if funnel else 'rearrest'}", query


def _as_of(text: str, now: datetime) -> str:
    """Return a time as RFC 3339; "" for today, which is now. Raises UsageError."""
    try:
        if "T" not in text:
            day = date.fromisoformat(text)
            return "" if day == now.date() else f"{day.isoformat()}T23:59:59Z"
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError("--as-of is YYYY-MM-DD, or an RFC 3339 time.") from None
    if moment.tzinfo is None:
        raise click.UsageError("--as-of needs a time zone, such as Z.")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _form_of(out: Path | None, table_id: str | None) -> str:
    if table_id:
        return "csv"
    suffix = out.suffix.lower().removeprefix(".") if out else ""
    return suffix if suffix in _FORMATS else "text"


def _door(data: Path, wishes: dict[str, Any]) -> Door:
    """Return where to ask, and as whom: as told, else as the evaluator of a development exchange."""
    from services.command.outcomes.fetch import Door

    url, ca, file = wishes["url"], wishes["cacert"], wishes["token_file"]
    token = file.read_text("utf-8").strip() if file else wishes["token"]
    if token:
        return Door((url or "https://localhost:8080").rstrip("/"), ca, token)
    layout = Layout.at(data)
    try:
        running = json.loads(layout.state.read_text("utf-8"))["http"]
        token = mint(data, Wanted(role="evaluator"))
    except (OSError, ValueError, KeyError, NoToken):
        text = f"A token is needed: --token, --token-file or LEADX_TOKEN; no development exchange runs from {data}."
        raise click.UsageError(text) from None
    return Door((url or running).rstrip("/"), ca or layout.ca, token)


def _rendered(answer: dict[str, Any], form: str, table_id: str | None) -> bytes | Callable[[TextIO], None]:
    """Return what is to be written: bytes, or a function that writes text as wide as its stream is."""
    from services.command.outcomes.report import from_json

    if form == "json":
        return (json.dumps(answer, indent=2, ensure_ascii=False) + "\n").encode()
    found = from_json(answer)
    if form == "csv":
        return _csv(found, table_id).encode()
    if form == "svg":
        from services.command.outcomes.chart import svg

        return svg(found)
    from services.command.outcomes.text import show

    return lambda stream: show(found, stream)


def _csv(found: Report, table_id: str | None) -> str:
    from services.command.outcomes import sheet

    if not table_id:
        return sheet.whole(found)
    tables = sheet.tables_of(found)
    if table_id not in tables:
        raise click.UsageError(f"--table is one of {', '.join(tables)}.")
    return sheet.one(tables[table_id])


def _write(rendered: bytes | Callable[[TextIO], None], out: Path | None) -> None:
    if out is None:
        if isinstance(rendered, bytes):
            sys.stdout.buffer.write(rendered)
            sys.stdout.buffer.flush()
        else:
            rendered(sys.stdout)
        return
    try:
        if isinstance(rendered, bytes):
            out.write_bytes(rendered)
        else:
            with out.open("w", encoding="utf-8") as stream:
                rendered(stream)
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror}.") from None
