"""A report of outcomes over ten events a person, against one bare group-by pass over the same event rows.

Each size runs in a process of its own (`python -m services.command.bench.outcomes <people>`), so that its memory is
that of this size alone, frames and all.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.command.bench.rounds import interleaved
from services.command.bench.row import Measured, Step
from services.command.bench.several import Several

if TYPE_CHECKING:
    import polars as pl

    from services.outcomes.evaluation.request import Inputs, Request

_SIZES = (10_000, 100_000, 1_000_000)
_EVENTS = 10
_ROUNDS = 3
# Above this a report takes long enough to be measured once.
_SEVERAL = 100_000
_WHAT = (
    "people in a report of 24 months with an effect, {people:,} people and {events:,} events, against one bare polars "
    "group-by of the events"
)
_DAYS = 1_500
_START, _END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)


def measure(step: Step, sizes: tuple[int, ...] = _SIZES) -> Mapping[str, Measured]:
    """Return people per second by size. Raises RuntimeError when a size does not come to its end."""
    found: dict[str, Measured] = {}
    for people in sizes:
        found[_WHAT.format(people=people, events=_EVENTS * people)] = _in_a_child(people)
        step()
    return found


def _in_a_child(people: int) -> Measured:
    done = subprocess.run([sys.executable, "-m", __name__, str(people)], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"a report about {people} people did not come to its end")
    return Measured(**json.loads(done.stdout))


def main(people: int) -> Measured:
    """Measure one size in this process."""
    from services.outcomes.evaluation.engine import evaluate

    inputs, request = _inputs(people), _request()
    rows = inputs.events.lazy().collect()

    def ours() -> float:
        begun = time.perf_counter()
        if sum(each.people or 0 for each in evaluate(inputs, request).groups) != people:
            raise RuntimeError("the report does not count everybody")
        return people / (time.perf_counter() - begun)

    def baseline() -> float:
        begun = time.perf_counter()
        if _grouped(rows) != people:
            raise RuntimeError("the bare pass does not see everybody")
        return people / (time.perf_counter() - begun)

    figures = interleaved(ours, baseline, _ROUNDS if people <= _SEVERAL else 1, lambda: None)
    # Linux tells KiB.
    return Measured(*figures, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


def _grouped(rows: pl.DataFrame) -> int:
    import polars as pl

    return rows.group_by("study_id").agg(pl.len(), pl.col("time").min()).height


def _request() -> Request:
    from services.outcomes.evaluation.definitions import EVENTS
    from services.outcomes.evaluation.populations import POPULATIONS
    from services.outcomes.evaluation.request import Comparison, Request
    from services.outcomes.evaluation.windows import TWO_YEARS

    return Request(
        definition=EVENTS["ARR_NEWCONDUCT"],
        population=POPULATIONS["ITT"],
        window=TWO_YEARS,
        as_of=_END,
        comparison=Comparison(registration="sample", covariates=("age",)),
    )


def _inputs(people: int) -> Inputs:
    import polars as pl

    from services.outcomes.evaluation.request import Inputs

    feed = {"agency_id": "sample-police", "site_id": "seattle", "complete_from": datetime(2015, 1, 1, tzinfo=UTC)}
    cohort = _people(people)
    return Inputs(cohort, _events(cohort), pl.DataFrame([feed | {"complete_through": _END}]))


def _people(people: int) -> pl.DataFrame:
    """Made-up people, who began within 300 days of 2021, every second of them compared."""
    import polars as pl

    number = pl.int_range(people)
    begun = pl.lit(datetime(2021, 1, 1, tzinfo=UTC)) + pl.duration(minutes=number * 7919 % (300 * 1440))
    return pl.select(
        study_id=pl.format("stu_00000000-0000-7000-8000-{}", number),
        site_id=pl.lit("seattle"),
        door=pl.lit("ARREST_DIVERSION"),
        arm=pl.when(number % 2 == 0).then(pl.lit("LEAD")).otherwise(pl.lit("COMPARISON")),
        t0=begun,
        eligible=pl.lit(True),
        offered=pl.lit(True),
        approved=pl.lit(True),
        overridden=pl.lit(False),
        index_incident=pl.format("WASAMPLE1/index-{}", number),
        age=18 + number * 31 % 50,
    )


def _events(cohort: pl.DataFrame) -> pl.DataFrame:
    """Ten rows a person in four years, drawn alike in every run: arrests on all kinds of basis, bookings, a death."""
    import numpy as np
    import polars as pl

    draw, n = np.random.default_rng(1), cohort.height * _EVENTS
    kinds = ["ARREST", "DIVERTED_CONTACT", "BOOKING", "RELEASE", "CHARGE_FILED", "DEATH"]
    warrants = ["NONE", "NEW_OFFENCE", "PRIOR_OFFENCE", "FTA", "SUPERVISION"]
    number = pl.int_range(n)
    time = pl.lit(_START) + pl.duration(minutes=pl.lit(pl.Series(draw.integers(0, _DAYS * 1440, n))))
    earlier = pl.duration(days=pl.lit(pl.Series(draw.integers(0, 200, n))))
    known = pl.Series(draw.random(n) < 0.9)
    return pl.select(
        event_id=pl.format("jev_{}", number),
        study_id=cohort.get_column("study_id").gather(np.arange(n) // _EVENTS),
        kind=pl.Series(kinds).gather(draw.choice(len(kinds), n, p=[0.4, 0.1, 0.2, 0.2, 0.095, 0.005])),
        time=time,
        offence_time=pl.when(known).then(time - earlier),
        warrant_kind=pl.Series(warrants).gather(draw.integers(0, len(warrants), n)),
        warrant_time=time - earlier / 2,
        incident=pl.format("WASAMPLE1/{}", number // 2),
        booking=pl.when(number % 3 == 0).then(pl.format("WASAMPLE1/J{}", number // 4)),
        agency_id=pl.lit("sample-police"),
        score=pl.Series(0.8 + 0.2 * np.sqrt(draw.random(n))),
    )


BENCHMARK = Several(unit="people/s", steps=len(_SIZES), measure=measure)

if __name__ == "__main__":
    measured = main(int(sys.argv[1]))
    json.dump({"ours": measured.ours, "baseline": measured.baseline, "peak_mb": measured.peak_mb}, sys.stdout)
