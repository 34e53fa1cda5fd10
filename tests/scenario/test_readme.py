"""The README's two clients do what it says, run as they stand there against a real exchange."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.command.exchange import Exchange

README = Path(__file__).parents[2] / "README.md"


def _block(name: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"# {name}"))


def _run(name: str, exchange: Exchange, role: str, agency: str) -> str:
    text = _block(name).replace(".leadx/tls/ca.crt", str(exchange.ca_path))
    text = text.replace("localhost:8081", exchange.grpc_target).replace("https://localhost:8080", exchange.http_url)
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "LEADX_TOKEN": exchange.token(role, agency=agency)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(180)
def test_the_readme_clients_run_as_they_stand_there(exchange: Exchange) -> None:
    assert "123 PUSH_OUTCOME_CREATED ref_" in _run("rms.py", exchange, "police_rms", "sample-police")
    assert "123 PUSH_OUTCOME_UNCHANGED ref_" in _run("rms.py", exchange, "police_rms", "sample-police")
    assert "no confirmation received" in _run("reviews.py", exchange, "prosecutor", "sample-city-attorney")


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150
