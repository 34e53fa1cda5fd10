"""A row of a file before it is looked at closely: its cells as text, and what is wrong with the row as such."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.shared.errors import LeadError, Violation, invalid

MOST_ROWS = 5_000
MOST_BYTES = 16 * 1024 * 1024

COLUMNS = (
    *("recordId", "version", "system", "serviceId", "serviceReferralId", "participantId", "status", "startTime"),
    "endTime",
)
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Cells:
    """What a row says by column name, as text; "" is nothing said.

    `line` counts from 1: the line of the file, in a JSON array the place. `paths` are the names that the file's format
    has for columns, where they are others. `wrong` keeps the row from being taken; one that is `broken` has no cells.
    """

    line: int
    values: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[Violation, ...] = ()
    broken: bool = False

    def path(self, column: str) -> str:
        """Return how this file calls a column."""
        return self.paths.get(column, column)


def broken(line: int, path: str, wish: str) -> Cells:
    """Return a row of which nothing could be read."""
    return Cells(line, wrong=(Violation(path, wish),), broken=True)


def text_of(data: bytes) -> str:
    """Return the text of a file. Raises INVALID_ARGUMENT for one that is too large or is not in UTF-8."""
    if len(data) > MOST_BYTES:
        raise refused("at most 16 MiB")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused("in UTF-8; this file begins like one in UTF-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused(f"in UTF-8; line {line} has bytes of another encoding") from None


def lines_of(text: str) -> list[tuple[int, str]]:
    """Return the lines that hold something, each with its number from 1. A line ends as on any system."""
    lines = enumerate(_LINE_END.split(text), start=1)
    return [(number, line) for number, line in lines if line.strip(" \t")]


def check_count(rows: int) -> None:
    """Raise INVALID_ARGUMENT for more than 5,000 rows: then none of them is taken."""
    if rows > MOST_ROWS:
        raise refused(f"at most {MOST_ROWS:,} rows in one file")


def refused(*wishes: str, path: str = "file") -> LeadError:
    """Return the refusal of a whole file."""
    return invalid([Violation(path, wish) for wish in wishes])
