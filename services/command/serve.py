"""`leadx serve`: one process of the exchange, an area or the gateway."""

from __future__ import annotations

import os
import signal
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from services.command.configured import CONFIG, PROCESS, ConfigUnusable, configuration, package
from services.command.layout import GATEWAY


@click.command()
@click.argument("process", type=PROCESS, metavar="AREA|gateway")
@click.option("--config", "path", type=CONFIG, required=True, help="TOML file; LEADX_<FIELD> in the environment wins.")
@click.option("--until-eof", is_flag=True, help="Stop when stdin ends, as it does when the parent process is gone.")
def serve(process: str, path: Path, until_eof: bool) -> None:
    """Run one process of the exchange until SIGTERM or Ctrl-C.

    Its log goes to stderr, a JSON object per line. Migrate first: `leadx migrate AREA --config FILE`.

    \b
    Example:
      leadx serve referral --config /etc/leadx/referral.toml
    """
    config = configuration(process, path)
    if until_eof:
        threading.Thread(target=_stop_at_eof, name="parent", daemon=True).start()
    try:
        _run(process, config)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        # A start that failed for what the process was told; texts of other libraries may hold anything.
        raise ConfigUnusable(f"{process} cannot run: {_reason(error)}") from None


def _run(process: str, config: Any) -> None:
    app = import_module(f"{package(process)}.app")
    if process == GATEWAY:
        app.run(config)
    else:
        app.build(config).run()


def _reason(error: Exception) -> str:
    from services.shared.db.revisions import SchemaNotCurrent

    if isinstance(error, SchemaNotCurrent):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__} ({error.filename or 'a port or socket'})"
    if isinstance(error, RuntimeError):
        return "its address cannot be bound; is it in use?" if "bind" in str(error) else type(error).__name__
    # Ours, about files that the configuration names; they hold no value.
    return str(error)


def _stop_at_eof() -> None:
    # Not by sys.stdin, whose lock a thread that waits would still hold when the process ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
