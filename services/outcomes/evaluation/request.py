"""What a report is made of and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.outcomes.evaluation.definitions import EventDefinition
from services.outcomes.evaluation.populations import PopulationDefinition
from services.outcomes.evaluation.windows import Window
from services.outcomes.evaluation.words import Arm

if TYPE_CHECKING:
    import polars as pl


class InputError(ValueError):
    """A frame is not as documented. The text names frame and column and never quotes a value."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Frames as `frames.py` documents them; lazy ones are read once.

    `removed` is how many people were expunged and taken out since the cohort was first counted.
    """

    people: pl.DataFrame | pl.LazyFrame
    events: pl.DataFrame | pl.LazyFrame
    feeds: pl.DataFrame | pl.LazyFrame
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison group that was registered before anybody looked.

    `covariates` are columns of the people frame, known at t0: numbers, booleans or words.
    """

    registration: str
    arms: tuple[Arm, ...] = ("COMPARISON", "CONTROL")
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One figure: which events, of whom, over how long, as of when (aware UTC; later knowledge is not used)."""

    definition: EventDefinition
    population: PopulationDefinition
    window: Window
    as_of: datetime
    comparison: Comparison | None = None
    # Passed to estimators that can draw lots; ours are arranged so that none has to.
    seed: int = 0
