"""Cohorts drawn from known hazards, and what the truth about them is, worked out without any estimator.

At liberty people are arrested, die and are booked at constant rates; a stay in jail has an exponential length, and in
it nothing else happens. Everybody may move away at a constant rate of calendar time. So on the clock of time at
liberty arrest and death are two exponentials, and on the calendar the truth is that of a small Markov chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from services.outcomes.evaluation.frames import TIME

ARREST, DEATH, BOOKING, RELEASE, MOVE = 1 / 250, 1 / 300, 1 / 150, 1 / 30, 1 / 700
WINDOW = 182
_DAY = 86_400_000_000
# 2023-07-02 + 6 months is 184 days, 2023-01-01 181; one t0 with 182 keeps the truth one number: 2024-01-10.
_T0 = int(datetime(2024, 1, 10, 12, tzinfo=UTC).timestamp() * 1e6)
_STAYS = 12


@dataclass(frozen=True)
class Truth:
    by_calendar: float
    at_liberty: float
    one_minus_km: float
    bookings_per_year: float
    jail_days_per_year: float


def truth() -> Truth:
    either = ARREST + DEATH
    step = 0.01
    # States: at liberty, in jail, arrested or dead; the chain without arrests gives the rates.
    risk, free, held = 0.0, 1.0, 0.0
    alive_free, alive_held, years_free, years_held = 1.0, 0.0, 0.0, 0.0
    for _ in range(round(WINDOW / step)):
        risk += ARREST * free * step
        free, held = (
            free + (RELEASE * held - (either + BOOKING) * free) * step,
            held + (BOOKING * free - RELEASE * held) * step,
        )
        years_free += alive_free * step
        years_held += alive_held * step
        alive_free, alive_held = (
            alive_free + (RELEASE * alive_held - (DEATH + BOOKING + MOVE) * alive_free) * step,
            alive_held + (BOOKING * alive_free - (RELEASE + MOVE) * alive_held) * step,
        )
    followed = (years_free + years_held) / 365.25
    return Truth(
        by_calendar=risk,
        at_liberty=ARREST / either * (1 - np.exp(-either * WINDOW)),
        one_minus_km=1 - np.exp(-ARREST * WINDOW),
        bookings_per_year=BOOKING * years_free / followed,
        jail_days_per_year=years_held / followed,
    )


def cohorts(count: int, people: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return people, events and feeds of so many cohorts, each a site of its own."""
    draw, n = np.random.default_rng(seed), count * people
    arrest, death = draw.exponential(1 / ARREST, n), draw.exponential(1 / DEATH, n)
    booked = np.cumsum(draw.exponential(1 / BOOKING, (n, _STAYS)), axis=1)  # on the clock at liberty
    stays = draw.exponential(1 / RELEASE, (n, _STAYS))
    moved = draw.exponential(1 / MOVE, n)

    def on_calendar(at_liberty: np.ndarray) -> np.ndarray:
        held: np.ndarray = (stays * (booked < at_liberty[:, None])).sum(axis=1)
        added: np.ndarray = at_liberty + held
        return added

    entered = booked + np.cumsum(stays, axis=1) - stays
    ids = pl.Series("study_id", np.arange(n)).cast(pl.String)
    sites = pl.Series("site_id", np.repeat(np.arange(count), people)).cast(pl.String)
    frame = pl.DataFrame([ids, sites, _times("left_time", moved)]).with_columns(
        t0=pl.lit(_T0).cast(TIME), door=pl.lit("ARREST_DIVERSION"), arm=pl.lit("LEAD"),
        eligible=pl.lit(True), offered=pl.lit(True), approved=pl.lit(True), overridden=pl.lit(False),
    )  # fmt: skip
    last = on_calendar(death)
    kinds = [("DEATH", last), ("ARREST", on_calendar(arrest))]
    kinds += [("BOOKING", entered[:, each]) for each in range(_STAYS)]
    kinds += [("RELEASE", entered[:, each] + stays[:, each]) for each in range(_STAYS)]
    # Nothing happens to the dead.
    events = pl.concat(_rows(kind, ids, days, days <= last) for kind, days in kinds)
    feeds = pl.DataFrame({"site_id": sites.unique()}).with_columns(
        agency_id=pl.lit("spd"),
        complete_from=pl.lit(0).cast(TIME),
        complete_through=pl.lit(_T0 + 1000 * _DAY).cast(TIME),
    )
    return frame, events.with_row_index("event_id").cast({"event_id": pl.String}), feeds


def _rows(kind: str, ids: pl.Series, days: np.ndarray, kept: np.ndarray) -> pl.DataFrame:
    frame = pl.DataFrame([ids, _times("time", days)]).filter(pl.Series(kept))
    return frame.with_columns(kind=pl.lit(kind), agency_id=pl.lit("spd"))


def _times(name: str, days: np.ndarray) -> pl.Series:
    return pl.Series(name, _T0 + (days * _DAY).astype(np.int64)).cast(TIME)
