"""Reads the packs of a folder and refuses all of them when one place in one of them is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from services.shared.errors import Violation
from services.shared.sites.consistency import contradictions
from services.shared.sites.pack import Rule, Site
from services.shared.sites.read import UNREAD, Reader
from services.shared.sites.rules import KINDS

# The development registry lives beside the packs and is none.
_NO_PACK = "agencies.toml"


class PackError(ValueError):
    """Packs that must not be used. The text has one line for each wrong place; it holds no value from the file."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(f"{each.path} {each.wish}" for each in self.violations))


def load_sites(folder: Path) -> Mapping[str, Site]:
    """Read every pack of the folder; keys are site ids.

    Raises PackError naming every wrong key and value of every file as `<file>: <path>`.
    """
    files = [file for file in sorted(folder.glob("*.toml")) if file.name != _NO_PACK]
    sites, wrong = [], []
    for file in files:
        try:
            sites.append(parse_site(file.read_bytes(), file.stem))
        except PackError as refused:
            wrong += [Violation(f"{file.name}: {each.path}", each.wish) for each in refused.violations]
    if not files:
        wrong.append(Violation(folder.name, "must hold at least one site pack"))
    if wrong:
        raise PackError(wrong)
    return MappingProxyType({site.id: site for site in sites})


def parse_site(content: bytes, site_id: str) -> Site:
    """Read one pack, whose `id` must be the given one. Raises PackError naming every wrong place."""
    return site_from(_table(content), site_id)


def site_from(table: Mapping[str, object], site_id: str) -> Site:
    """Make a site of a pack's table. Raises PackError naming every wrong place."""
    reader = Reader(special={Rule: _read_rule})
    site = reader.record(Site, table, "")
    if site is not UNREAD:
        reader.wrong += contradictions(site, site_id)
    if reader.wrong:
        raise PackError(reader.wrong)
    read: Site = site
    return read


def _table(content: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise PackError([Violation("(file)", "must be TOML in UTF-8")]) from None


def _read_rule(reader: Reader, _hint: object, given: object, path: str) -> Any:
    # The kind says of which class the params are; a kind that needs none may leave them out.
    table = {"params": {}, **given} if isinstance(given, dict) else given
    kind = table.get("kind") if isinstance(table, dict) else None
    params = KINDS.get(kind, dict) if isinstance(kind, str) else dict
    return reader.record(Rule, table, path, {"kind": Literal[tuple(KINDS)], "params": params})
