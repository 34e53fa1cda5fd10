"""A claim: a sentence about the exchange, and whether it was seen to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.table import Table

from services.command.demo.story import Story


@dataclass(frozen=True)
class Claim:
    """`id` is the claim's number with a letter (`3b`); `table` is shown beneath it, for people."""

    id: str
    text: str
    holds: bool
    table: Table | None = field(default=None, compare=False)


Chapter = Callable[[Story], Iterator[Claim]]
"""Plays one part of the story and yields what it claims, in order."""
