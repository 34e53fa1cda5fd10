"""Which reader reads a file: by what its sender says it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.provider.upload import csv_file, json_file, ndjson_file
from services.provider.upload.rows import Cells, refused
from services.shared.errors import Code, LeadError

_READERS: Mapping[str, Callable[[bytes], list[Cells]]] = {
    "application/json": json_file.read,
    "application/x-ndjson": ndjson_file.read,
    "application/ndjson": ndjson_file.read,
    "text/csv": csv_file.read,
}
_UTF8 = frozenset({"", "utf-8", "utf8"})


def read(content_type: str, data: bytes) -> list[Cells]:
    """Return the rows of a file. Raises `UNSUPPORTED_MEDIA_TYPE`, and INVALID_ARGUMENT for one that is unreadable."""
    kind, _, parameters = content_type.partition(";")
    reader = _READERS.get(kind.strip().lower())
    if reader is None:
        text = "Send this file with Content-Type: text/csv, application/x-ndjson or application/json."
        raise LeadError(Code.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA_TYPE", text)
    if _charset(parameters) not in _UTF8:
        raise refused("in UTF-8")
    return reader(data)


def _charset(parameters: str) -> str:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""
