"""What the sharing matrix foretells for the tables of the demo (`expected.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

Release = Literal["without_release", "full_release"]
PRESENCE = "SUD_PRESENCE"


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("expected.toml").read_text("utf-8"))


def table(release: Release, *, part2: bool) -> dict[str, frozenset[str]]:
    """Return by viewer which categories are seen, when the case agency is a Part 2 program or not."""
    present = set(_file()["presence"][release]) if part2 else set()
    rows: dict[str, list[str]] = _file()[release]
    return {name: frozenset([*seen, PRESENCE] if name in present else seen) for name, seen in rows.items()}


def dashes() -> frozenset[str]:
    """Return the categories that no built call carries."""
    return frozenset(_file()["dash"])


def is_of_case_agency(record: str) -> bool:
    """Tell whether records of this message (full name) have the case-management agency as their source."""
    return record in _file()["case_agency_records"]


def is_presence_itself(category: str) -> bool:
    """Tell whether a field of this category can come from a Part 2 program alone."""
    return category in _file()["presence_itself"]


def tells_presence(category: str) -> bool:
    """Tell whether a field of this category says that its source knows the person (matrix, Need set)."""
    return category not in _file()["never_presence"]
