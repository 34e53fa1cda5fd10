"""`leadx push`: sends the records of files to an exchange."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import dropwhile
from pathlib import Path
from typing import Any, Protocol

import click

from services.command.push import state
from services.command.push.faces import Faces, Patience, target_beside
from services.command.push.justice import JusticePusher
from services.command.push.records import REJECTED, Result, outgoing
from services.command.push.report import Report
from services.command.push.sender import PushRefused, Sender, Unreachable
from services.referral.rms.files import Kind, Row, read_records
from services.shared.errors import Violation

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SAVE_SECONDS = 0.5
_REFUSED, _UNREACHED, _INTERRUPTED = 2, 3, 130


@click.command()
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--url", default="https://localhost:8080", show_default=True, help="The exchange's HTTP address.")
@click.option("--grpc", "target", default="", help="HOST:PORT of its gRPC face; the next port unless given.")
@click.option("--cacert", type=_FILE, help="PEM file of the authority to trust; else those of this machine.")
@click.option("--token", envvar="LEADX_TOKEN", help="Bearer token of a police_rms account; or set LEADX_TOKEN.")
@click.option("--token-file", type=_FILE, help="File with the token, read again with each try.")
@click.option("--state", "state_file", type=click.Path(dir_okay=False, path_type=Path), help="Where to note progress.")
@click.option("--patience", type=click.FloatRange(0), default=60.0, show_default=True, help="Seconds without answer.")
@click.option("--justice", is_flag=True, help="The FILEs hold justice events: JSON or NDJSON.")
@click.option("--complete-from", metavar="TIME", default="", help="With --justice: the feed is complete from here on.")
@click.option("--complete-through", metavar="TIME", default="", help="With --justice: the feed is complete up to here.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per record, and a last one in summary.")
def push(
    files: tuple[Path, ...], url: str, target: str, cacert: Path | None, state_file: Path | None, patience: float,
    as_json: bool, **beside: Any,
) -> None:  # fmt: skip
    """Send the records in FILEs: JSON, NDJSON or NIBRS XML, told apart by what is in them.

    A JSON record is a referral draft, or {"recordKey": ..., "action": "UPSERT" or "DELETE", "referral": {...}}. Give
    each draft a source (system, recordId, version): then sending a file twice changes nothing. NIBRS files become
    incident candidates. A push that is cut off goes on where it was, when it is called again.

    With --justice a record is an arrest or what follows one, for counting outcomes. --complete-through declares the
    feed complete, after the last file, unless an event was rejected.

    Exit code 0: all accepted. 1: some were rejected. 2: not usable. 3: the exchange did not answer.

    \b
    Example:
      leadx push --cacert .leadx/tls/ca.crt --token "$(leadx token --role police_rms)" today.ndjson
    """
    if state_file is not None and len(files) > 1:
        raise click.UsageError("--state is of one file.")
    token = _token(beside["token"], beside["token_file"])
    faces = Faces(url.rstrip("/"), target or _target(url), cacert, token)
    with Report(as_json=as_json) as report:
        pusher = _pusher((faces, Patience(patience), report), files[-1], beside)
        code = _all(pusher, files, state_file)
        report.end(complete=code == 0)
    sys.exit(code or int(report.outcomes[REJECTED] > 0))


class Pusher:
    """Sends files, one after the other."""

    def __init__(self, faces: Faces, patience: Patience, report: Report) -> None:
        """Send through these faces."""
        self._faces, self._patience, self._report = faces, patience, report

    def file(self, file: Path, progress: Path) -> None:
        """Send one file. Raises PushRefused, Unreachable, OSError, KeyboardInterrupt; what was answered is noted."""
        first = next(read_records(file, file.name), None)
        if first is not None and first.kind is Kind.NIBRS:
            self._report.begin(file, None, Counter())
            for each in self._import(first):
                self._report.result(file, each)
            return
        kept = state.State.load(progress, state.digest(file))
        self._report.begin(file, self._total(file), kept.outcomes)
        self._stream(file, kept)

    def _import(self, row: Row) -> list[Result]:
        if not isinstance(row.payload, bytes):
            return [Result(row.number, "1", REJECTED, "", (Violation("", row.error),))]
        return self._faces.import_incidents(row.payload, self._patience)

    def _stream(self, file: Path, kept: state.State) -> None:
        begun_after, saved = kept.through, time.monotonic()
        rows = dropwhile(lambda row: row.number <= begun_after, read_records(file, file.name))
        results = Sender(map(outgoing, rows), self._faces.push, self._patience.pause).results()
        try:
            for each in results:
                self._patience.progress()
                kept.note(each)
                self._report.result(file, each)
                if time.monotonic() - saved > _SAVE_SECONDS:
                    kept.save()
                    saved = time.monotonic()
        except BaseException:
            kept.save()
            raise
        kept.done()

    def _total(self, file: Path) -> int | None:
        # Read once more than needed, for a bar that somebody looks at.
        return sum(1 for _ in read_records(file, file.name)) if self._report.shows else None


class _SendsFiles(Protocol):
    def file(self, file: Path, progress: Path) -> None:
        """Send one file."""


def _all(pusher: _SendsFiles, files: tuple[Path, ...], state_file: Path | None) -> int:
    """Send all files; returns the exit code, 0 also where records were rejected."""
    again = "What was acknowledged is noted; call it again to go on."
    for file in files:
        try:
            pusher.file(file, state_file or state.beside(file))
        except PushRefused as error:
            click.echo(f"{file.name}: the exchange does not accept this: {error}", err=True)
            return _REFUSED
        except Unreachable:
            click.echo(f"{file.name}: the exchange does not answer. {again}", err=True)
            return _UNREACHED
        except KeyboardInterrupt:
            click.echo(f"{file.name}: interrupted. {again}", err=True)
            return _INTERRUPTED
        except OSError as error:
            raise click.UsageError(f"{error.filename or file} cannot be used: {error.strerror}.") from None
    return 0


def _pusher(through: tuple[Faces, Patience, Report], last: Path, asked: Mapping[str, Any]) -> _SendsFiles:
    """Return what sends the files, by what they hold; `last` is the one after which a feed is declared."""
    times = {"completeFrom": asked["complete_from"], "completeThrough": asked["complete_through"]}
    declared = {name: time for name, time in times.items() if time}
    if asked["justice"]:
        return JusticePusher(*through, declared, last)
    if declared:
        raise click.UsageError("--complete-from and --complete-through go with --justice.")
    return Pusher(*through)


def _target(url: str) -> str:
    try:
        return target_beside(url)
    except ValueError:
        raise click.UsageError("--url is https://HOST:PORT.") from None


def _token(token: str | None, token_file: Path | None) -> Callable[[], str]:
    if token_file is not None:
        return lambda: token_file.read_text("utf-8").strip()
    if not token:
        raise click.UsageError("A token is needed: --token, --token-file or LEADX_TOKEN.")
    return lambda: token
