"""Enrolments as one JSON value: an array of them, or an object that holds one."""

from __future__ import annotations

from services.provider.upload.json_values import JsonObject, NotJsonError, cells_of, parse
from services.provider.upload.rows import Cells, check_count, refused, text_of

_WISH = 'a JSON array of enrolments, or {"enrollments": [...]}'


def read(data: bytes) -> list[Cells]:
    """Return the rows of a file, in order, each with its place from 1. Raises INVALID_ARGUMENT for no such file."""
    try:
        found = parse(text_of(data))
    except NotJsonError:
        raise refused(_WISH) from None
    if isinstance(found, JsonObject) and found.keys() == {"enrollments"} and not found.twice:
        found = found["enrollments"]
    if not isinstance(found, list):
        raise refused(_WISH)
    check_count(len(found))
    return [cells_of(place, value) for place, value in enumerate(found, start=1)]
