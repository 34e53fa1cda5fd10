"""`leadx up`: the whole exchange on this machine, until Ctrl-C."""

from __future__ import annotations

import json
import shlex
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from services.command.layout import DEFAULT_DATA

if TYPE_CHECKING:
    from services.command.exchange import Exchange

_DAY = 24 * 3600
# Enough for an answer that names rules; nobody's, and kept nowhere.
_DRAFT = {
    "siteId": "seattle",
    "door": "DOOR_SOCIAL_CONTACT",
    "agencyOri": "WASAMPLE1",
    "person": {"givenName": "Testa", "familyName": "Sample", "birthDate": "1990-05-17"},
}


class Failed(click.ClickException):
    """The exchange did not come up."""

    def __init__(self, text: str, code: int) -> None:
        """Say why, and end with this exit code."""
        super().__init__(text)
        self.exit_code: int = code  # type: ignore[misc]


@click.command()
@click.option("--port", type=click.IntRange(0, 65_534), default=8080, show_default=True, help="HTTP; gRPC is the next.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_DATA, show_default=True)
@click.option("--no-seed", is_flag=True, help="Leave the registry empty: no sample agencies and accounts.")
@click.option("--trace", default="none", show_default=True, help="none, file, or otlp:ENDPOINT.")
def up(port: int, data: Path, no_seed: bool, trace: str) -> None:
    """Run the whole exchange on this machine: every area, the gateway, a development authority and issuer.

    Everything lies in the data folder and is kept when it stops. Port 0 takes free ports.

    \b
    Example:
      leadx up --port 9080 --data /var/tmp/lead
    """
    from services.command.exchange import Exchange, StartFailed
    from services.command.ports import PortTaken

    begun = time.monotonic()
    exchange = Exchange(data, port, seed=not no_seed, trace=trace)
    stopping = threading.Event()
    _on_signals(exchange, stopping)
    try:
        exchange.start(interrupted=stopping.is_set)
    except PortTaken as error:
        raise Failed(str(error), 2) from None
    except (StartFailed, OSError) as error:
        if stopping.is_set():
            return
        raise Failed(str(error), 1) from None
    _tell(exchange, data, time.monotonic() - begun, seeded=not no_seed)
    stopping.wait()
    click.echo("\nStopping …")
    exchange.stop()
    click.echo("Stopped.")


def _on_signals(exchange: Exchange, stopping: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            exchange.stop_now()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _tell(exchange: Exchange, data: Path, seconds: float, *, seeded: bool) -> None:
    http = exchange.http_url.replace("127.0.0.1", "localhost")
    click.echo(f"LEAD Exchange is ready, after {seconds:.1f} s.\n")
    click.echo(f"  HTTP  {http}   (/docs, /openapi.json, /metrics)")
    click.echo(f"  gRPC  {exchange.grpc_target}")
    click.echo(f"  CA    {exchange.ca_path}")
    click.echo(f"  Logs  {exchange.layout.log('<process>')}\n")
    click.echo("Try it from another terminal:\n")
    click.echo(f"{_call(exchange, http, seeded=seeded)}\n")
    if seeded:
        place = "" if str(data) == DEFAULT_DATA else f" --data {shlex.quote(str(data))}"
        click.echo(f"More tokens: leadx token --role prosecutor{place}")
    click.echo("Ctrl-C stops it.")


def _call(exchange: Exchange, http: str, *, seeded: bool) -> str:
    """Return one call that can be pasted into a shell: what would a screen say about this draft?"""
    words = ["curl", "-sS", "--cacert", str(exchange.ca_path)]
    if not seeded:
        return shlex.join([*words, f"{http}/readyz"])
    words += ["-H", f"Authorization: Bearer {exchange.token('police_officer', ttl=_DAY)}"]
    words += ["-H", "Content-Type: application/json", "-d", json.dumps(_DRAFT), f"{http}/v1/referrals:screen"]
    return shlex.join(words)
