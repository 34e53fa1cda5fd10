"""Enrolments as NDJSON: one JSON object per line."""

from __future__ import annotations

from services.provider.upload.json_values import NotJsonError, cells_of, parse
from services.provider.upload.rows import Cells, broken, check_count, lines_of, text_of


def read(data: bytes) -> list[Cells]:
    """Return the rows of a file, in order, each with its line. Raises INVALID_ARGUMENT for size and encoding."""
    lines = lines_of(text_of(data))
    check_count(len(lines))
    return [_row(number, line) for number, line in lines]


def _row(number: int, line: str) -> Cells:
    try:
        return cells_of(number, parse(line))
    except NotJsonError:
        return broken(number, "", "one JSON object on each line")
