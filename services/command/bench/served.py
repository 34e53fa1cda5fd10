"""Small servers to measure against: processes that print their port once they answer, and end with their stdin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Self

_END_SECONDS = 10.0


class Served:
    """`python -m <module> <arguments>`, started when it is made."""

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        """Start it; `port` waits until it answers."""
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        """Run it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        try:
            self._process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def port(self) -> int:
        """Return the port that it listens on. Raises RuntimeError when it ends instead."""
        line = self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line:
            raise RuntimeError("a server to measure against did not start")
        return int(line)
