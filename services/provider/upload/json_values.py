"""One enrolment as JSON: an `EnrollmentDraft` of the contract, its values as text.

Numbers stay the digits they were written with, so that none is too long for anything here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from services.provider.checks import has_control
from services.provider.upload.rows import COLUMNS, Cells, broken
from services.shared.errors import Violation
from services.shared.never_carried import WISHES, by_name

_OF_SOURCE = {"recordId": "source.recordId", "system": "source.system", "version": "source.version"}
_AT_TOP = tuple(name for name in COLUMNS if name not in _OF_SOURCE)
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
# A row with more strange fields than that is wrong enough: what is told of 5,000 such rows has to fit into one answer.
_MOST_STRANGE = 10
_OBJECT = "a JSON object with the fields of an enrolment"
# What is no text is read as one only where it is digits.
_NO_TEXT = {"version": "a whole number from 1 on"}


class NotJsonError(ValueError):
    """The text is not JSON; says nothing about what it is."""


class JsonObject(dict[str, Any]):
    """A JSON object that remembers which of its names came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(pairs) > len(self) else Counter[str]()
        self.twice = [name for name, count in times.items() if count > 1]


def parse(text: str) -> Any:
    """Return a JSON value. Raises NotJsonError for anything else, however deep it is."""
    try:
        return json.loads(text, object_pairs_hook=JsonObject, parse_int=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotJsonError from None


def cells_of(line: int, value: Any) -> Cells:
    """Return what one JSON value says of an enrolment."""
    if not isinstance(value, JsonObject):
        return broken(line, "", _OBJECT)
    source = value.get("source")
    inner = source if isinstance(source, JsonObject) else JsonObject([])
    said = {name: value.get(name) for name in _AT_TOP} | {name: inner.get(name) for name in _OF_SOURCE}
    strange = (_names(value, "", {*_AT_TOP, "source"}), _names(inner, "source.", set(_OF_SOURCE)))
    wrong = list(islice(chain(*strange), _MOST_STRANGE))
    if source is not None and not isinstance(source, JsonObject):
        wrong.append(Violation("source", "a JSON object"))
    values = dict[str, str]()
    for name, one in said.items():
        if isinstance(one, str) and not has_control(one):
            values[name] = one
        elif one is not None:
            wish = "text without control characters" if isinstance(one, str) else _NO_TEXT.get(name, "a string")
            wrong.append(Violation(_OF_SOURCE.get(name, name), wish))
    return Cells(line, values, _OF_SOURCE, tuple(wrong))


def _names(value: JsonObject, prefix: str, known: set[str]) -> Iterator[Violation]:
    for name in value.twice:
        yield Violation(prefix + _shown(name), "given once")
    for name in (each for each in value if each not in known):
        reason = by_name(name) if len(name) <= 64 else None
        yield Violation(prefix + _shown(name), WISHES[reason] if reason else "unknown field")


def _shown(name: str) -> str:
    """Return the name if it could be a field's, otherwise `?`: what was sent is never repeated."""
    return name if _NAME.fullmatch(name) else "?"


def _no_constant(_: str) -> Any:
    raise NotJsonError
