"""Reads a process's configuration for a command, and tells what is wrong with it in words."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from services.command.layout import GATEWAY, PROCESSES

PROCESS = click.Choice(PROCESSES)
CONFIG = click.Path(dir_okay=False, path_type=Path)


class ConfigUnusable(click.ClickException):
    """What the command was told cannot be used."""

    exit_code = 2


def package(process: str) -> str:
    """Return the package of an area, or of the gateway."""
    return "gateway" if process == GATEWAY else f"services.{process}"


def configuration(process: str, path: Path) -> Any:
    """Return the process's Config from a file and the environment. Raises ConfigUnusable."""
    from services.shared.config import ConfigError, load

    try:
        return load(import_module(f"{package(process)}.config").Config, path)
    except ConfigError as error:
        raise ConfigUnusable(str(error)) from None
