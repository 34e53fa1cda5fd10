"""One thing that is wrong with a policy text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: its kind, the rows concerned, and a sentence.

    Kinds are `WORDS`, `NOTES`, `CEDAR`, `SILENT`, `RULE`, `CONFLICT` and `UNCOVERED`.
    """

    kind: str
    rows: tuple[int, ...]
    text: str

    def __str__(self) -> str:
        where = f" row {', '.join(map(str, self.rows))}" if self.rows else ""
        return f"{self.kind}{where}: {self.text}"
