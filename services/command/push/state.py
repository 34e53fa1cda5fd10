"""How far a file got, kept beside it until it is through, so that a push which was cut off goes on from there."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.command.install import write_private
from services.command.push.records import Result

_SUFFIX = ".leadx-push.json"
_VERSION = 1


def beside(file: Path) -> Path:
    """Return where the state of a file lies unless another place is named."""
    return file.with_name(file.name + _SUFFIX)


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass
class State:
    """The rows up to `through` are answered; `outcomes` counts what became of them."""

    path: Path
    digest: str
    through: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def load(cls, path: Path, file_digest: str) -> State:
        """Return the state that lies at the path, a new one when there is none or it is of another content."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            found: Any = json.loads(path.read_text("utf-8"))
            if found["version"] == _VERSION and found["sha256"] == file_digest:
                return cls(path, file_digest, int(found["through"]), Counter(found["outcomes"]))
        return cls(path, file_digest)

    def note(self, result: Result) -> None:
        """Count a row's result; rows come in order."""
        self.through = result.number
        self.outcomes[result.outcome] += 1

    def save(self) -> None:
        """Write it down, whole or not at all. Raises OSError."""
        told = {"version": _VERSION, "sha256": self.digest, "through": self.through, "outcomes": dict(self.outcomes)}
        write_private(self.path, json.dumps(told).encode())

    def done(self) -> None:
        """Remove it: the file is through, and the next push of it begins at its first row."""
        self.path.unlink(missing_ok=True)
