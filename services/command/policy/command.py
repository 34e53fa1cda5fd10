"""The group of commands, each in a module of its own."""

from __future__ import annotations

import click

from services.command.policy.check import check
from services.command.policy.diff import diff
from services.command.policy.matrix import matrix
from services.command.policy.replay import replay


@click.group()
def policy() -> None:
    """Check the sharing matrix, show who may see what and why, replay what was decided, try another matrix on it."""


for _each in (check, matrix, diff, replay):
    policy.add_command(_each)
