"""The rows of a query as a frame, read in pieces: what is held at once is the frame, not the rows it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select

from services.outcomes.evaluation.frames import TIME
from services.shared.db.types import UtcDateTime

_PIECE = 50_000
_COLUMN_TYPES: Mapping[type, Any] = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64}


def frame(
    connection: Connection, query: Select[Any], narrowed: Callable[[pl.DataFrame], pl.DataFrame] = lambda piece: piece
) -> pl.DataFrame:
    """Return the rows of a query as a frame, read in pieces, each narrowed before the next is read."""
    schema = {column.name: _type_of(column) for column in query.selected_columns}
    result = connection.execute(query, execution_options={"yield_per": _PIECE})
    pieces = [
        narrowed(pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row"))
        for rows in result.partitions(_PIECE)
    ]
    return pl.concat(pieces) if pieces else narrowed(pl.DataFrame(schema=schema))


def _type_of(column: Any) -> Any:
    return TIME if isinstance(column.type, UtcDateTime) else _COLUMN_TYPES[column.type.python_type]
