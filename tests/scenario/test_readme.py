"""The README's clients do what it says, run as they stand there against a real exchange."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.command.demo import journey, services
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange

README = Path(__file__).parents[2] / "README.md"


def _block(name: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"# {name}"))


def _run(name: str, exchange: Exchange, role: str, agency: str, folder: Path | None = None) -> str:
    text = _block(name).replace(".leadx/tls/ca.crt", str(exchange.ca_path))
    text = text.replace("localhost:8081", exchange.grpc_target).replace("https://localhost:8080", exchange.http_url)
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={**os.environ, "LEADX_TOKEN": exchange.token(role, agency=agency)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(180)
def test_the_readme_clients_run_as_they_stand_there(exchange: Exchange) -> None:
    assert "123 PUSH_OUTCOME_CREATED ref_" in _run("rms.py", exchange, "police_rms", "sample-police")
    assert "123 PUSH_OUTCOME_UNCHANGED ref_" in _run("rms.py", exchange, "police_rms", "sample-police")
    assert "no confirmation received" in _run("reviews.py", exchange, "prosecutor", "sample-city-attorney")


@pytest.mark.timeout(180)
def test_the_readme_provider_offers_a_place_and_sends_its_file_twice(exchange: Exchange, tmp_path: Path) -> None:
    story, person = Story(exchange), Person("Testa", "Readmesample", "1990-05-05", "sample-outreach")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    asked = services.ask(story, person, "sample-housing")["id"]
    journey.full_release(story, person)
    header = "recordId,version,system,serviceReferralId,status,startTime,endTime"
    row = f"ROOM-README,1,sample-rooms,{asked},ENROLLED,2026-11-01,"
    client = services.staff(story, "sample-housing")
    story.eventually(lambda: (services.asked(person, "sample-housing", client) or {}).get("person"))
    (tmp_path / "rooms.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    first, again = (_run("rooms.py", exchange, "provider_system", "sample-housing", tmp_path) for _ in range(2))
    assert f"{asked} Testa Readmesample" in first
    assert "ANSWER_STATE_RECEIVED" in first
    assert "BATCH_OUTCOME_CREATED" in first
    assert "BATCH_OUTCOME_UNCHANGED" in again
    assert "ANSWER_STATE_ENROLLED" in again
    story.close()


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150
