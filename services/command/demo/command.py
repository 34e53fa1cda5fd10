"""`leadx demo`: plays every chapter and checks every claim."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from services.command.demo.claim import Claim
from services.command.demo.order import CHAPTERS
from services.command.demo.story import Story
from services.command.exchange import Exchange

# A story of a minute cannot wait for a quarter of an hour until a quarter is published.
_SETTINGS = {"outcomes": {"freeze_every_seconds": 2.0}}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: claims with id, text, holds; seconds.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the exchange's data in this new folder.")
def demo(as_json: bool, keep: Path | None) -> None:
    """Start a throw-away exchange, play the whole story through its public faces, check every claim.

    Everybody in it is made up. Exits 0 only if every claim held.

    Example: leadx demo --json | jq '.claims[] | select(.holds | not)'
    """
    console = Console(stderr=as_json)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="leadx-demo-") as scratch:
        claims = [_shown(console, claim) for claim in _played(console, keep or Path(scratch) / "data")]
    seconds = round(time.monotonic() - began, 1)
    broken = [claim for claim in claims if not claim.holds]
    if as_json:
        listed = [{"id": one.id, "text": one.text, "holds": one.holds} for one in claims]
        click.echo(json.dumps({"claims": listed, "seconds": seconds}, ensure_ascii=False))
    else:
        verdict = "every claim held" if not broken else f"{len(broken)} did not hold"
        console.print(f"\n[bold]{len(claims)} claims, {verdict}, {seconds} s[/bold]")
    raise SystemExit(1 if broken or not claims else 0)


def _played(console: Console, data: Path) -> Iterator[Claim]:
    console.print("[bold]Starting a throw-away exchange[/bold] (everybody in it is made up)")
    with Exchange(data, port=0, trace=True, settings=_SETTINGS) as exchange:
        story = Story(exchange)
        try:
            for title, chapter in CHAPTERS:
                console.print(f"\n[bold cyan]{title}[/bold cyan]")
                yield from chapter(story)
        finally:
            story.close()


def _shown(console: Console, claim: Claim) -> Claim:
    mark = "[green]✓[/green]" if claim.holds else "[bold red]✗[/bold red]"
    console.print(f" {mark} [dim]{claim.id:>3}[/dim] {claim.text}", highlight=False)
    if claim.table is not None:
        console.print(claim.table)
    return claim
