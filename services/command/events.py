"""`leadx events`: sealed events from outside, as an operator may see them. Envelope and sizes, never what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.command.layout import AREAS, DEFAULT_DATA, Layout

if TYPE_CHECKING:
    from services.shared.events.embedded import EmbeddedReader
    from services.shared.events.log import LogRecord

_DATA = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_DATA, show_default=True
)
_BATCH = 500
_WAIT_SECONDS = 1.0
# Of the record key, a pseudonym; enough to tell two apart.
_KEY_SHOWN = 12
_ENVELOPE = ("topic", "position", "reason", "ce_id", "ce_type", "ce_time", "buried_at")


@click.group()
def events() -> None:
    """Look at sealed events from outside: metadata only, and those that consumers gave up on."""


@events.command()
@_DATA
@click.option("--topic", "topics", multiple=True, help="Only this topic (the area's word); may be repeated.")
@click.option("--after", default=-1, show_default=True, help="Only what lies behind this offset.")
@click.option("--follow", is_flag=True, help="Wait for more until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per event.")
def tail(data: Path, topics: tuple[str, ...], after: int, follow: bool, as_json: bool) -> None:
    """Show what lies on the embedded log: offset, time, id, type, key, and how many sections of which sizes.

    \b
    Example:
      leadx events tail --topic referral --follow
    """
    from services.shared.events.embedded import EmbeddedReader

    folder = Layout.at(data).event_log
    chosen = topics or _topics(folder)
    try:
        reader = EmbeddedReader(folder, chosen)
    except ValueError:
        raise click.UsageError("--topic is one lower-case word, such as referral.") from None
    with closing(reader), suppress(KeyboardInterrupt, BrokenPipeError):
        for record in _records(reader, dict.fromkeys(chosen, after), follow=follow):
            seen = _seen(record)
            click.echo(json.dumps(seen) if as_json else _line(seen))


@events.command()
@_DATA
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per event.")
def dead(data: Path, as_json: bool) -> None:
    """List the events that consumers gave up on: who, why, and the envelope. The producing agency can issue them again.

    \b
    Example:
      leadx events dead --json
    """
    count = 0
    for area in AREAS:
        for row in _dead(Layout.at(data), area):
            count += 1
            told = {"consumer": area, **row}
            click.echo(json.dumps(told) if as_json else "  ".join(map(str, told.values())))
    if not as_json and not count:
        click.echo("No consumer has given up on an event.")


def _topics(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name.removesuffix(".log.db") for path in folder.glob("*.log.db")))


def _records(reader: EmbeddedReader, places: dict[str, int], *, follow: bool) -> Iterator[LogRecord]:
    from services.shared.events.log import LogUnavailableError

    while True:
        found = False
        for topic, after in places.items():
            try:
                records = reader.poll(topic, after, _BATCH)
            except LogUnavailableError as error:
                raise click.ClickException(f"{topic}: {error}.") from None
            for record in records:
                found, places[topic] = True, record.offset
                yield record
        if not found and not follow:
            return
        if not found:
            reader.wait(_WAIT_SECONDS)


def _seen(record: LogRecord) -> dict[str, Any]:
    """Return what an operator may see of an event."""
    from google.protobuf.message import DecodeError
    from lead.envelope.v1.envelope_pb2 import SealedEvent

    def header(name: str) -> str:
        return record.headers.get(name, b"").decode("ascii", "replace")[:160]

    seen: dict[str, Any] = {"topic": record.topic, "offset": record.offset, "time": header("ce_time")}
    seen |= {"id": header("ce_id"), "type": header("ce_type")}
    seen["key"] = record.key.decode("ascii", "replace")[:_KEY_SHOWN]
    try:
        event = SealedEvent.FromString(record.value)
        seen |= {"sections": len(event.sections), "bytes": [len(each.ciphertext) for each in event.sections]}
    except DecodeError:
        seen |= {"sections": 0, "bytes": [], "malformed": True}
    return seen


def _line(seen: dict[str, Any]) -> str:
    sizes = "+".join(map(str, seen["bytes"])) or "-"
    words = (f"{seen['topic']:<9}", f"{seen['offset']:>6}", seen["time"], seen["id"], seen["type"], seen["key"])
    return "  ".join((*words, f"{seen['sections']} sections, {sizes} bytes"))


def _dead(layout: Layout, area: str) -> Iterator[dict[str, Any]]:
    from sqlalchemy import MetaData, select
    from sqlalchemy.exc import SQLAlchemyError

    from services.command.install import database_url
    from services.shared.db import Database, make_engine
    from services.shared.events.dead_letters import dead_letters_table

    if not layout.database(area).is_file():
        return
    table = dead_letters_table(MetaData())
    engine = make_engine(database_url(layout.database(area)), pool_size=1)
    try:
        with Database(engine).read() as connection:
            rows = connection.execute(select(*(table.c[name] for name in _ENVELOPE)).order_by(table.c.id)).all()
    except SQLAlchemyError:
        # Areas that consume nothing have no such table.
        return
    finally:
        engine.dispose()
    for row in rows:
        told = dict(zip(_ENVELOPE, row, strict=True))
        yield told | {"buried_at": told["buried_at"].isoformat()}
