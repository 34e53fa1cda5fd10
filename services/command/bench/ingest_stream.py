"""New referrals by PushReferrals through the gateway, against bare inserts of the rows that they become."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from services.command.bench.bare_rows import Stored, inserted_per_second
from services.command.bench.memory import pss_mb
from services.command.bench.rounds import interleaved
from services.command.bench.row import Measured, Step
from services.command.bench.several import Several
from services.command.bench.streams import Systems
from services.command.exchange import Exchange
from services.command.layout import PROCESSES

_ROUNDS = 3
_RECORDS = 384
_STREAMS = (1, 4)
_WHAT = "new referrals acknowledged by PushReferrals over {}, against bare SQLAlchemy Core inserts of the same rows"


def measure(
    step: Step, rounds: int = _ROUNDS, records: int = _RECORDS, streams: tuple[int, ...] = _STREAMS
) -> Mapping[str, Measured]:
    """Return durable acknowledgements per second, and rows per second, by number of streams. Raises StartFailed."""
    with tempfile.TemporaryDirectory(prefix="leadx-bench-") as folder, Exchange(Path(folder, "data")) as exchange:
        ingest = _Ingest(exchange, Path(folder), records)
        try:
            ingest.acknowledged(max(streams))
            return {
                _WHAT.format("one stream" if many == 1 else f"{many} streams"): ingest.both(many, rounds, step)
                for many in streams
            }
        finally:
            ingest.close()


class _Ingest:
    """Both sides, around one exchange: each round sends records of a source system of its own."""

    def __init__(self, exchange: Exchange, folder: Path, records: int) -> None:
        self._exchange, self._folder, self._records = exchange, folder, records
        self._systems, self._rounds, self._system = Systems(exchange), count(1), ""
        self._stored = Stored(exchange.layout.database("referral"))

    def both(self, streams: int, rounds: int, step: Step) -> Measured:
        """Measure both in turn."""
        memory: list[float] = []

        def ours() -> float:
            found = self.acknowledged(streams)
            memory.append(pss_mb(map(self._exchange.pid, PROCESSES)))
            return found

        return Measured(*interleaved(ours, self._inserted, rounds, step), max(memory))

    def acknowledged(self, streams: int) -> float:
        """Return how many records a second are durable and acknowledged. Raises RuntimeError when one is not."""
        self._system = f"bench-{next(self._rounds)}"
        records = self._systems.records(self._system, self._records)
        begun = time.perf_counter()
        created = self._systems.push(records, streams)
        spent = time.perf_counter() - begun
        if created != len(records) or len(self._stored.of_system(self._system)[0]) != created:
            raise RuntimeError("not every record was stored once and acknowledged")
        return created / spent

    def close(self) -> None:
        """Close the area's file."""
        self._stored.close()

    def _inserted(self) -> float:
        return inserted_per_second(self._folder / f"{self._system}.db", self._stored, self._system)


BENCHMARK = Several(unit="1/s", steps=2 * _ROUNDS * len(_STREAMS), measure=measure)
