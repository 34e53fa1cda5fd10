"""Pages of GET /v1/referrals through the gateway, against a bare select of the same rows, with few and many stored."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from services.command.bench.bare_pages import BarePages
from services.command.bench.bare_rows import Stored
from services.command.bench.memory import pss_mb
from services.command.bench.pages import Pages
from services.command.bench.rounds import interleaved
from services.command.bench.row import Measured, Step
from services.command.bench.seeding import Seeds
from services.command.bench.several import Several
from services.command.exchange import Exchange
from services.command.layout import PROCESSES, Layout
from services.shared.clock import SystemClock

_ROUNDS = 3
_PAGES = 8
_SIZE = 50
_STORED = (10_000, 100_000)
_READERS = {"police_officer": "sample-police", "prosecutor": "sample-city-attorney"}
_WHAT = (
    "page of {size} of GET /v1/referrals for {role}, {stored:,} stored, against a bare keyset select (less is better)"
)


def measure(
    step: Step, rounds: int = _ROUNDS, pages: int = _PAGES, stored: tuple[int, ...] = _STORED
) -> Mapping[str, Measured]:
    """Return milliseconds a page by reader and by rows stored. Raises StartFailed."""
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="leadx-bench-") as folder:
        data = Path(folder)
        with Exchange(data):
            pass
        seeds = Seeds(Layout.at(data), SystemClock())
        for many in stored:
            seeds.grow(many)
            step()
            with Exchange(data) as exchange:
                for role, agency in _READERS.items():
                    what = _WHAT.format(size=_SIZE, role=role, stored=many)
                    found[what] = _both(exchange, role, agency, rounds, pages, step)
    return found


def _both(exchange: Exchange, role: str, agency: str, rounds: int, pages: int, step: Step) -> Measured:
    """Measure both in turn on the same pages. Raises RuntimeError when they do not show the same referrals."""
    memory: list[float] = []
    stored = Stored(exchange.layout.database("referral"))
    bare = BarePages(stored, role, agency, _SIZE)
    with Pages(exchange, exchange.token(role, agency=agency), _SIZE) as through:

        def ours() -> float:
            spent = through.milliseconds(pages)
            memory.append(pss_mb(map(exchange.pid, PROCESSES)))
            return spent

        def baseline() -> float:
            spent = bare.milliseconds(pages)
            if bare.shown != through.shown:
                raise RuntimeError("the two lists do not show the same referrals")
            return spent

        try:
            figures = interleaved(ours, baseline, rounds, step)
        finally:
            stored.close()
    return Measured(*figures, max(memory))


BENCHMARK = Several(unit="ms", steps=len(_STORED) * (1 + 2 * _ROUNDS * len(_READERS)), measure=measure)
