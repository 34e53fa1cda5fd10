"""A client that keeps a number of calls in flight. Bytes in, bytes out, so that its own work is small on both sides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

Beside = tuple[tuple[str, str], ...]
_SECONDS = 20.0


class Load:
    """Calls of one method at one address. Belongs to the loop it is made in; close it in the end."""

    def __init__(
        self, address: str, ca: Path, method: str, requests: Sequence[bytes], beside: Callable[[], Beside]
    ) -> None:
        """Send these requests by turns; `beside` gives what travels with them, asked once a round."""
        self._channel = grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(ca.read_bytes()))
        self._method: Any = self._channel.unary_unary(method, None, None)
        self._requests, self._beside = requests, beside

    async def answers(self) -> list[bytes]:
        """Send each request once. Raises AioRpcError for one that fails, as `per_second` does."""
        beside = self._beside()
        return [await self._method(each, timeout=_SECONDS, metadata=beside) for each in self._requests]

    async def per_second(self, in_flight: int, seconds: float) -> float:
        """Return how many calls a second are answered with so many in flight."""
        waiting, beside = cycle(self._requests), self._beside()
        begun = time.perf_counter()

        async def one_after_another() -> int:
            done = 0
            while time.perf_counter() - begun < seconds:
                await self._method(next(waiting), timeout=_SECONDS, metadata=beside)
                done += 1
            return done

        done = await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
        return sum(done) / (time.perf_counter() - begun)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()
