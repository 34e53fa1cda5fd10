"""Covariates known at t0 as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Covariates:
    """A column for each covariate, or for each word of it; `yes_no` says which hold only 0 and 1."""

    names: tuple[str, ...]
    values: Numbers
    yes_no: tuple[bool, ...]


def covariates(people: pl.DataFrame, names: tuple[str, ...]) -> Covariates:
    """Return numbers as they are, booleans as 0 and 1, words one column each; what is not known is a column as well."""
    columns: dict[str, Numbers] = {}
    for name in names:
        columns.update(_columns(name, people.get_column(name)))
    varied = {name: values for name, values in columns.items() if np.ptp(values) > 0} if people.height else {}
    stacked = np.column_stack(list(varied.values())) if varied else np.empty((people.height, 0))
    return Covariates(tuple(varied), stacked, tuple(bool(np.isin(each, (0, 1)).all()) for each in varied.values()))


def _columns(name: str, column: pl.Series) -> dict[str, Numbers]:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        numbers = column.cast(pl.Float64)
        mean = numbers.mean()
        filled = numbers.fill_null(mean if isinstance(mean, float) else 0.0)
        return {name: filled.to_numpy(), f"{name}: unknown": _flag(numbers.is_null())}
    words = column.cast(pl.String)
    known = {f"{name}: {word}": _flag((words == word).fill_null(False)) for word in words.drop_nulls().unique().sort()}
    return {**known, f"{name}: unknown": _flag(words.is_null())}


def _flag(column: pl.Series) -> Numbers:
    return column.cast(pl.Float64).to_numpy()
