"""`leadx audit`: the ledger as a file, and the check of such a file that needs no server and trusts nobody (AU-04)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from services.audit.export import StoredEntry
    from services.audit.snapshot import Exported
    from services.audit.verdict import Finding
    from services.shared.db import Database

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAMAGED = (
    "Don't use this file as evidence. Export again and check that; if it is damaged too, stop writing to this ledger, "
    "keep the database as it is, and ask the witnesses for their checkpoints."
)
_ADVICE = {
    "HELD": "Nothing to do. Keep the file together with the checkpoints you checked it against.",
    "HELD_UNWITNESSED": (
        "Ask an agency that keeps checkpoints for its latest.note, and check again with --checkpoint FILE: only that "
        "shows whether the end was cut off."
    ),
    "WRONG_KEY": "Ask the ledger's operator, over another way, which key is the right one; check with --public-key.",
    "FOREIGN_WITNESS": "Make sure that checkpoint and file are of one ledger; if they are, the ledger changed keys.",
    "FORKED": (
        "The ledger's own key signed two histories: tell every agency and the auditor, and keep this file and both "
        "checkpoints. No newer export can mend this."
    ),
    "TRUNCATED": "Entries that a witness saw are gone. Export again; if they stay gone, rows were lost or removed.",
    "UNCLOSED": "The file ends early: the export was interrupted, or its end was cut off. Export again.",
}


@click.group()
def audit() -> None:
    """Take the ledger out as a file, and check such a file without a server."""


@audit.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".leadx"),
    show_default=True,
    help="Folder of the exchange; its config/audit.toml says where database and key are.",
)
@click.option("--database-url", help="The audit database itself, sqlite:///FILE or postgresql://..., instead.")
@click.option("--public-key", type=_FILE, help="PEM file with the ledger's public key, instead of the configured one.")
@click.option(
    "--output", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write; replaced."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export(data: Path, database_url: str | None, public_key: Path | None, output: Path, as_json: bool) -> None:
    """Write the ledger to a file.

    Needs no running exchange and disturbs none: it reads one state of the database and changes nothing. The file holds
    every entry up to the newest signed checkpoint. Who an entry is about stays sealed in it.
    """
    database, key = _source(data, database_url, public_key)
    try:
        result = _taken(database, key, output, shows=sys.stderr.isatty() and not as_json)
    finally:
        database.engine.dispose()
    if as_json:
        click.echo(json.dumps({"file": str(output), **result._asdict()}))
        return
    click.echo(f"{result.entries} entries of {result.origin} written to {output}.")
    if result.unsigned:
        click.echo(f"{result.unsigned} newer ones are not signed yet and left out; a running exchange signs them.")
    click.echo(f"Check it with: leadx audit verify {output}")


@audit.command()
@click.argument("file", type=_FILE)
@click.option(
    "--checkpoint",
    "checkpoints",
    type=_FILE,
    multiple=True,
    help="A checkpoint that a witness kept; may be repeated. Only these show that the end is missing.",
)
@click.option(
    "--public-key", type=_FILE, help="PEM file with the ledger's public key; without it the file's word counts."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(file: Path, checkpoints: tuple[Path, ...], public_key: Path | None, as_json: bool) -> None:
    """Check an exported ledger, offline.

    Exit code 0: it holds. 1: it doesn't, and the answer says from which entry on. 2: the command was not usable.
    """
    from services.audit.verify import verify_export

    key = None if public_key is None else _public_key(public_key)
    witnessed = [_note(path) for path in checkpoints]
    with file.open("rb") as stream:
        verdict = verify_export(stream, witnessed, key)
    advice = _advice(verdict.reason)
    if as_json:
        told = {"ok": verdict.ok, "reason": verdict.reason, "text": verdict.text, "entries": verdict.size}
        told |= {"vouched": verdict.vouched, "firstBadEntry": verdict.first_bad_index, "next": advice}
        click.echo(json.dumps(told))
    else:
        head = "The ledger holds" if verdict.ok else "The ledger is BROKEN"
        place = "" if verdict.first_bad_index is None else f" at entry {verdict.first_bad_index}"
        click.echo(f"{head}{place} ({verdict.reason}, {verdict.size} entries read): {verdict.text}.")
        click.echo(advice)
    sys.exit(0 if verdict.ok else 1)


def _advice(reason: Finding) -> str:
    return _ADVICE.get(reason.value, _DAMAGED)


def _source(data: Path, url: str | None, public_key: Path | None) -> tuple[Database, Ed25519PublicKey]:
    from services.audit.config import Config
    from services.shared.config import ConfigError, load
    from services.shared.db import Database, make_engine

    if url is None or public_key is None:
        try:
            config = load(Config, data / "config" / "audit.toml")
        except ConfigError as error:
            text = f"{error}\nName the exchange's folder with --data, or give both --database-url and --public-key."
            raise click.ClickException(text) from None
        url = url or config.database_url
        public_key = public_key or config.ledger_key.with_suffix(".pub")
    engine = _checked(url, make_engine)
    return Database(engine), _public_key(public_key)


def _checked(url: str, make: Any) -> Any:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        raise click.UsageError("--database-url is no database URL, such as sqlite:///audit.db.") from None
    # SQLite would make an empty database of a wrong name.
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise click.ClickException(f"There is no audit database at {parsed.database}.")
    return make(url, schema="audit", pool_size=1)


def _public_key(path: Path) -> Ed25519PublicKey:
    from services.shared.identity import load_public_key

    try:
        return load_public_key(path)
    except (OSError, ValueError, TypeError):
        raise click.UsageError(f"{path} is no PEM file with an Ed25519 public key.") from None


def _note(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise click.UsageError(f"{path} is no checkpoint: it can't be read as text.") from None


def _taken(database: Database, key: Ed25519PublicKey, output: Path, *, shows: bool) -> Exported:
    from sqlalchemy.exc import DBAPIError

    from services.audit.merkle import LedgerError
    from services.audit.snapshot import export_to

    try:
        return export_to(output, database, key, _shown if shows else lambda entries, _: entries)
    except DBAPIError as error:
        text = f"The audit database can't be read ({type(error.orig).__name__}): is it one, and current?"
        raise click.ClickException(text) from None
    except LedgerError as error:
        if error.reason == "UNSIGNED":
            raise click.ClickException("Nothing is signed yet: a running exchange signs within a second.") from None
        raise click.ClickException(f"A stored checkpoint doesn't fit the public key: {error.text}.") from None
    except OSError as error:
        raise click.ClickException(f"{output} can't be written: {error.strerror}.") from None


def _shown(entries: Iterable[StoredEntry], size: int) -> Iterable[StoredEntry]:
    from rich.console import Console
    from rich.progress import track

    return track(entries, "Exporting", total=size, console=Console(stderr=True), transient=True)
