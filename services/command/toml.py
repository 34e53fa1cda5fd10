"""Writes a configuration as TOML: texts, numbers, truths, lists of texts, sections, and lists of sections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def dumps(values: Mapping[str, Any]) -> str:
    """Return the TOML text of the values. Raises TypeError for a value of another kind."""
    return "\n".join(_section(values, ())) + "\n"


def _section(values: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in values.items() if not _nests(value)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in values.items():
        here = (*place, key)
        if isinstance(value, Mapping):
            lines += ["", f"[{'.'.join(here)}]", *_section(value, here)]
        elif _nests(value):
            for each in value:
                lines += ["", f"[[{'.'.join(here)}]]", *_section(each, here)]
    return lines


def _nests(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | Path):
        # A JSON text is a TOML text too, but for DEL.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    raise TypeError("a configuration holds texts, numbers, truths, lists and sections")
