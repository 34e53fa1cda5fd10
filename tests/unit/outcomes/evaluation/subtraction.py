"""Somebody who subtracts: what can be worked out of hidden cells when all shown ones are known exactly."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import TypeVar

import numpy as np

K = TypeVar("K", bound=Hashable)


def determined(equations: Sequence[dict[K, int]], unknown: Collection[K]) -> set[K]:
    """Return the unknown cells that are the same in every solution: those the null space doesn't move."""
    names = list(unknown)
    if not names:
        return set()
    left = np.array([[each.get(name, 0) for name in names] for each in equations], dtype=float)
    _, sizes, directions = np.linalg.svd(left)
    free = directions[int((sizes > 1e-9).sum()) :]
    return {name for name, moves in zip(names, np.abs(free).T, strict=True) if (moves < 1e-9).all()}
