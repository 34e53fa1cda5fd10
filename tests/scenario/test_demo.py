"""The demo is the acceptance: every claim it prints holds, and none of the eighteen parts is missing."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest


@pytest.mark.timeout(400)
def test_every_claim_of_the_demo_holds() -> None:
    command = [sys.executable, "-m", "services.command.main", "demo", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=390, check=False)
    told = json.loads(done.stdout)
    assert [one for one in told["claims"] if not one["holds"]] == []
    assert {int(re.match(r"\d+", one["id"])[0]) for one in told["claims"]} == set(range(1, 19))  # type: ignore[index]
    assert done.returncode == 0
