"""The frames that come in: their columns, and refusal of what is not like that.

people: one row per referral or comparison arrest that could start somebody's time. `t0` by `populations.t0`;
    `left_time` is when the person moved out of reach; `index_incident` is agency and incident number as one opaque
    key; further columns may be named as covariates.
events: linked justice records. `warrant_kind` is the arrest's only basis, NONE for probable cause; `incident` is a
    key as `index_incident`, `booking` likewise; `score` is the link score, null for a link that a person confirmed.
feeds: what each agency declares per site: complete from, complete through, and gaps in between.

Times are Datetime("us", "UTC"). Columns marked optional may be absent or null.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from services.outcomes.evaluation.request import InputError
from services.outcomes.evaluation.words import ARMS, DOORS, KINDS, LEVELS, WARRANTS

TIME = pl.Datetime("us", "UTC")
DOOR = pl.Enum(DOORS)
ARM = pl.Enum(ARMS)
KIND = pl.Enum(KINDS)
WARRANT = pl.Enum(WARRANTS)
LEVEL = pl.Enum(LEVELS)

Schema = Mapping[str, tuple[pl.DataType | type[pl.DataType], bool]]
"""Column -> (type, whether it is required)."""

PEOPLE: Schema = {
    "study_id": (pl.String, True),
    "site_id": (pl.String, True),
    "door": (DOOR, True),
    "arm": (ARM, True),
    "t0": (TIME, True),
    "eligible": (pl.Boolean, True),
    "offered": (pl.Boolean, True),
    "approved": (pl.Boolean, True),
    "overridden": (pl.Boolean, True),
    "intake_time": (TIME, False),
    "intake_clock_days": (pl.Int64, False),
    "left_time": (TIME, False),
    "index_incident": (pl.String, False),
    "index_event_id": (pl.String, False),
}

EVENTS: Schema = {
    "event_id": (pl.String, True),
    "study_id": (pl.String, True),
    "kind": (KIND, True),
    "time": (TIME, True),
    "offence_time": (TIME, False),
    "warrant_kind": (WARRANT, False),
    "warrant_time": (TIME, False),
    "level": (LEVEL, False),
    "incident": (pl.String, False),
    "booking": (pl.String, False),
    "agency_id": (pl.String, True),
    "score": (pl.Float64, False),
}

FEEDS: Schema = {
    "agency_id": (pl.String, True),
    "site_id": (pl.String, True),
    "complete_from": (TIME, False),
    "complete_through": (TIME, False),
    "gaps": (pl.List(pl.Struct({"start": TIME, "end": TIME})), False),
}


def laid_out(
    name: str, frame: pl.DataFrame | pl.LazyFrame, schema: Schema, besides: tuple[str, ...] = ()
) -> pl.LazyFrame:
    """Return the frame with exactly these columns and types, and the ones named besides as they are.

    Raises InputError for a column that is missing. A value that does not fit is only seen when the frame is read:
    `read` refuses it.
    """
    lazy = frame.lazy()
    there = set(lazy.collect_schema().names())
    needed = [column for column, (_, required) in schema.items() if required]
    if missing := sorted({*needed, *besides} - there):
        raise InputError(f"{name} lacks {', '.join(missing)}")
    columns = [
        (pl.col(column) if column in there else pl.lit(None, dtype)).cast(dtype, strict=True).alias(column)
        for column, (dtype, _) in schema.items()
    ]
    return lazy.select(*columns, *(pl.col(each) for each in besides if each not in schema))


def read(name: str, lazy: pl.LazyFrame, required: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return the rows. Raises InputError for a value that does not fit its column, or is null where it must not be."""
    try:
        frame = lazy.collect(engine="streaming")
    except pl.exceptions.PolarsError:
        raise InputError(f"{name} holds a value that does not fit its column") from None
    empty = [column for column in required if frame.get_column(column).null_count()]
    if empty:
        raise InputError(f"{name} has rows without {', '.join(empty)}")
    return frame


def needed(schema: Schema) -> tuple[str, ...]:
    """The columns that may not be null."""
    return tuple(column for column, (_, required) in schema.items() if required)
