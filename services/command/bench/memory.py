"""Memory of processes: the proportional set size, in which what several processes share is counted once in all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_ROLLUP = "smaps_rollup"
_PSS = "Pss:"


def own_pss_mb() -> float:
    """Return the memory of this process in MB. Raises OSError where the system does not tell."""
    return pss_mb([os.getpid()])


def pss_mb(pids: Iterable[int]) -> float:
    """Return the summed memory of some processes in MB. Raises OSError for one that is gone."""
    return sum(_kib(Path("/proc", str(pid), _ROLLUP).read_text("ascii")) for pid in pids) * 1024 / 1e6


def _kib(rollup: str) -> int:
    for line in rollup.splitlines():
        if line.startswith(_PSS):
            return int(line.split()[1])
    raise ValueError("no such line in what the system tells")
