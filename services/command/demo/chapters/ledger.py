"""10: the ledger as a file, checked without the exchange; and copies of it that somebody tampered with."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.audit.verdict import Finding
from services.command.demo.claim import Claim
from services.command.demo.copies import check, cut, dropped, flipped, size_of
from services.command.demo.story import Story
from services.command.demo.witness import take_checkpoint
from services.command.layout import Layout
from services.shared.identity import load_public_key

_SECONDS = 60.0


def play(story: Story) -> Iterator[Claim]:
    """Export by `leadx audit export`, verify by `leadx audit verify`, then tamper."""
    layout = story.exchange.layout
    if not story.witnessed:
        take_checkpoint(story)
    witnessed = story.witnessed[-1]
    with tempfile.TemporaryDirectory(prefix="leadx-ledger-") as scratch:
        file = Path(scratch) / "ledger.jsonl"
        _leadx("audit", "export", "--data", str(layout.data), "-o", str(file), "--json")
        yield _verified(layout, file, story.witnessed)
        export = file.read_bytes()
    yield from _tampered(layout, export, witnessed)


def _verified(layout: Layout, file: Path, witnessed: list[str]) -> Claim:
    kept = []
    for number, note in enumerate(witnessed):
        path = file.with_name(f"{number}.note")
        path.write_text(note, "utf-8")
        kept += ["--checkpoint", str(path)]
    key = str(layout.ledger_key.with_suffix(".pub"))
    told = _leadx("audit", "verify", str(file), "--public-key", key, *kept, "--json")
    holds = told.get("ok") is True and told.get("reason") == Finding.HELD
    entries = told.get("entries", 0)
    text = f"The exported ledger of {entries} entries holds, against {len(witnessed)} checkpoints that a witness kept"
    return Claim("10a", text, holds and entries >= size_of(witnessed[-1]) > 0)


def _tampered(layout: Layout, export: bytes, witnessed: str) -> Iterator[Claim]:
    key = load_public_key(layout.ledger_key.with_suffix(".pub"))
    found = [check(copy, key, [witnessed]) for copy in flipped(export)]
    text = f"A copy with one byte flipped doesn't, wherever it is ({len(found)} places)"
    yield Claim("10b", text, bool(found) and not any(verdict.ok for verdict in found))
    verdict = check(dropped(export), key, [witnessed])
    yield Claim("10c", f"A copy with one entry dropped doesn't ({verdict.reason})", not verdict.ok)
    copy = cut(export, witnessed)
    alone, verdict = check(copy, key), check(copy, key, [witnessed])
    text = f"A copy whose tail was cut is whole in itself ({alone.reason}), and the witness shows it ({verdict.reason})"
    yield Claim("10d", text, alone.ok and verdict.reason is Finding.TRUNCATED)


def _leadx(*words: str) -> dict[str, Any]:
    """Run a command as somebody at a terminal would, and return its answer in JSON; empty when it gave none."""
    command = [sys.executable, "-m", "services.command.main", *words]
    done = subprocess.run(command, check=False, capture_output=True, timeout=_SECONDS)
    told: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return told
