"""Enrolments as CSV: a header, then one row per line (RFC 4180, UTF-8 with or without a byte order mark).

Each line is read by itself: no column holds a line break, and so a quote that is never closed spoils its own row and
swallows no other.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence

from services.provider.checks import FORMULA, has_control, is_formula
from services.provider.upload.rows import COLUMNS, Cells, broken, check_count, lines_of, refused, text_of
from services.shared.errors import Violation, invalid
from services.shared.never_carried import WISHES, by_name

_NEEDED = ("recordId", "system", "status", "startTime")
# One of each must be there, since one of them is needed in every row.
_EITHER = (("serviceReferralId", "participantId"), ("serviceId", "serviceReferralId"))
_MOST_COLUMNS = 64
_KNOWN = f"one of the columns {', '.join(COLUMNS)}"


def read(data: bytes) -> list[Cells]:
    """Return the rows of a file, in order; rows without anything in them are none.

    Raises INVALID_ARGUMENT naming everything that is wrong with the encoding, the size or the header.
    """
    lines = lines_of(text_of(data))
    if not lines:
        raise refused("a header, and a row for each enrolment")
    header = _header(lines[0][1])
    rows = [row for number, line in lines[1:] if (row := _row(number, line, header)) is not None]
    check_count(len(rows))
    return rows


def _header(line: str) -> list[str]:
    cells = _cells(line)
    if cells is None:
        raise refused("a line of column names, quoted as RFC 4180 says", path="file.header")
    wrong = list(_header_violations(cells))
    if wrong:
        raise invalid(wrong)
    return cells


def _header_violations(cells: Sequence[str]) -> Iterator[Violation]:
    if len(cells) > _MOST_COLUMNS:
        yield Violation("file.header", f"at most {_MOST_COLUMNS} columns")
        return
    times = Counter(cells)
    for place, name in enumerate(cells):
        if name not in COLUMNS:
            # The name itself is not repeated: without a header it is somebody's data.
            reason = by_name(name) if len(name) <= 64 else None
            yield Violation(f"file.header[{place}]", WISHES[reason] if reason else _KNOWN)
        elif times[name] > 1:
            yield Violation(f"file.header[{place}]", "named once")
    yield from _missing(set(cells))


def _missing(names: set[str]) -> Iterator[Violation]:
    for needed in (*((name,) for name in _NEEDED), *_EITHER):
        if not names & set(needed):
            yield Violation("file.header", f"a column {' or '.join(needed)}")


def _row(number: int, line: str, header: Sequence[str]) -> Cells | None:
    cells = _cells(line)
    if cells is None:
        wish = "cells separated by commas, with quotes that close on the same line and are doubled inside (RFC 4180)"
        return broken(number, "row", wish)
    if not any(cells):
        return None
    if len(cells) != len(header):
        return broken(number, "row", f"{len(header)} cells, as the header has")
    values = dict(zip(header, cells, strict=True))
    wrong = tuple(_cell_violations(values))
    told = {each.path for each in wrong}
    return Cells(number, {name: text for name, text in values.items() if name not in told}, wrong=wrong)


def _cell_violations(values: dict[str, str]) -> Iterator[Violation]:
    for name, text in values.items():
        if is_formula(text):
            yield Violation(name, FORMULA)
        elif has_control(text):
            yield Violation(name, "text without control characters")


def _cells(line: str) -> list[str] | None:
    """Return the cells of a line without blanks around them, None where its quotes are not in order."""
    try:
        (cells,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError):
        return None
    return [cell.strip(" ") for cell in cells]
