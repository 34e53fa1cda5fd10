"""Reads the files that `leadx push` is given: JSON, NDJSON or NIBRS XML, told apart by what is in them.

    for row in read_records(Path("today.ndjson"), "today.ndjson"):
        ...  # row.payload to send, or row.error to show beside row.number

A record that can't be read is a row with an error, and the next one follows. Errors never quote the file.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import BinaryIO

# The contract's limits for one JSON body and for one import.
MAX_RECORD = 1024 * 1024
MAX_FILE = 16 * 1024 * 1024
MAX_DEPTH = 32

_HEAD = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(r"[ \t\r\n]*")
_NEXT_RECORD = re.compile(r"\n[ \t\r]*\{")
_LINES = (".ndjson", ".jsonl")


class Kind(StrEnum):
    """What a row's payload is."""

    RECORD = "RECORD"
    NIBRS = "NIBRS"


@dataclass(frozen=True, slots=True)
class Row:
    """One record, or why it isn't one.

    `number` counts from 1: the line in NDJSON and in broken JSON, the place in a JSON array, 1 for a file of one. The
    payload is a dict for RECORD, the file's bytes for NIBRS, None with an error.
    """

    number: int
    kind: Kind
    payload: dict[str, object] | bytes | None = None
    error: str = ""


class _Refused:
    """Stands in a decoded value for what JSON lets through and we don't; says why."""

    def __init__(self, why: str) -> None:
        self.why = why


def read_records(source: Path | bytes, name: str) -> Iterator[Row]:
    """Yield the rows of a file one by one. NDJSON of any size is streamed; JSON and NIBRS are read whole, to 16 MiB.

    The name only settles a doubt: `.ndjson` and `.jsonl` hold one record per line. Raises OSError when a path can't be
    read, nothing else.
    """
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        head = stream.read(_HEAD).removeprefix(_BOM).lstrip()
        stream.seek(0)
        if head.startswith(b"<"):
            yield _nibrs(stream)
        elif _is_lines(head, name):
            yield from _lines(stream)
        else:
            yield from _whole(stream)


def _is_lines(head: bytes, name: str) -> bool:
    """Whether each line is a record: by name, by a whole record in the first line, or since nothing else is left."""
    if name.lower().endswith(_LINES) or head[:1] not in (b"{", b"["):
        return True
    return head[:1] == b"{" and not _line(1, head.partition(b"\n")[0]).error


def _nibrs(stream: BinaryIO) -> Row:
    data = stream.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        return Row(1, Kind.NIBRS, error="the file is larger than 16 MiB; send fewer reports at once")
    if b"fbi.gov/cjis/nibrs/" not in data:
        return Row(1, Kind.NIBRS, error="the file is XML, but no NIBRS submission")
    return Row(1, Kind.NIBRS, data)


def _lines(stream: BinaryIO) -> Iterator[Row]:
    number = 0
    while line := stream.readline(MAX_RECORD + 1):
        number += 1
        if len(line) > MAX_RECORD:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_RECORD)
            yield _broken(number, "the line is longer than 1 MiB")
            continue
        if number == 1:
            line = line.removeprefix(_BOM)
        if line.strip():
            yield _line(number, line)


def _line(number: int, line: bytes) -> Row:
    text = _decoded(line)
    if text is None:
        return _broken(number, "the line is not UTF-8")
    decoded = _decode(text, _skip(text, 0))
    if decoded is None:
        return _broken(number, "the line is not valid JSON")
    if _skip(text, decoded[1]) != len(text):
        return _broken(number, "the line holds more than one value")
    return _row(number, decoded[0])


def _whole(stream: BinaryIO) -> Iterator[Row]:
    data = stream.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        yield _broken(1, "the file is larger than 16 MiB; send it as NDJSON, one record per line")
        return
    text = _decoded(data.removeprefix(_BOM))
    if text is None:
        yield _broken(1, "the file is not UTF-8")
        return
    start = _skip(text, 0)
    if text[start] == "[":
        yield from _array(text, start + 1)
        return
    decoded = _decode(text, start)
    if decoded and _skip(text, decoded[1]) == len(text):
        yield _row(1, decoded[0])
    elif _NEXT_RECORD.search(text):
        # Another record starts on a line of its own: NDJSON whose first line is broken or very long.
        stream.seek(0)
        yield from _lines(stream)
    else:
        yield _broken(_line_of(text, decoded[1] if decoded else start), "the file is not valid JSON")


def _array(text: str, at: int) -> Iterator[Row]:
    """Yield the elements of an array; `at` is behind its bracket. What follows a syntax error can't be told apart."""
    number, at = 0, _skip(text, at)
    closed = text.startswith("]", at)
    while not closed and (decoded := _decode(text, at)):
        number += 1
        yield _row(number, decoded[0])
        at = _skip(text, decoded[1])
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            break
        at = at if closed else _skip(text, at + 1)
    if not closed or _skip(text, at + 1) != len(text):
        yield _broken(_line_of(text, at), "the file is not valid JSON from this line on")


def _row(number: int, value: object) -> Row:
    if isinstance(value, _Refused):
        return _broken(number, value.why)
    if not isinstance(value, dict):
        return _broken(number, "a record is a JSON object")
    why = _fault(value)
    return _broken(number, why) if why else Row(number, Kind.RECORD, value)


def _fault(record: dict[str, object]) -> str:
    """Return why a decoded record isn't acceptable, or ""."""
    todo: list[tuple[object, int]] = [(record, 1)]
    while todo:
        value, depth = todo.pop()
        if isinstance(value, _Refused):
            return value.why
        if depth > MAX_DEPTH:
            return f"the record nests deeper than {MAX_DEPTH}"
        if isinstance(value, str) and not _encodes(value):
            return "a text is not valid Unicode"
        if isinstance(value, dict):
            todo += [(each, depth + 1) for pair in value.items() for each in pair]
        elif isinstance(value, list):
            todo += [(each, depth + 1) for each in value]
    return ""


def _decode(text: str, at: int) -> tuple[object, int] | None:
    """Return the JSON value at `at` and where it ends; None where there is none, or one of absurd depth or digits."""
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def _pairs(pairs: list[tuple[str, object]]) -> object:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Refused("a key appears twice in one object")


def _constant(_: str) -> object:
    return _Refused("NaN and Infinity are not JSON")


def _float(text: str) -> object:
    value = float(text)
    return value if isfinite(value) else _Refused("a number is too large")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float)


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _broken(number: int, why: str) -> Row:
    return Row(number, Kind.RECORD, error=why)
