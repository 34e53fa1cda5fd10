"""`leadx up` as somebody runs it: it tells one call that works, and stops cleanly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.command.exchange import Exchange, StartFailed
from services.command.layout import PROCESSES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
UP = [sys.executable, "-m", "services.command.main", "up"]
WORDS = re.compile(r"Bearer (?P<token>[\w.-]+).*-d '(?P<body>\{.*\})' (?P<url>https://\S+)")


def client(exchange: Exchange, role: str, **wishes: Any) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(exchange.ca_path))
    headers = {"authorization": f"Bearer {exchange.token(role, **wishes)}"}
    return httpx.Client(base_url=exchange.http_url, verify=context, headers=headers, trust_env=False, timeout=20)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*UP, "--data", tmp_path, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def told(process: subprocess.Popen[str]) -> str:
    """Return what it says until it waits for Ctrl-C."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or "Ctrl-C" not in lines[-1]:
        line = process.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return "".join(lines)


def test_up_tells_one_call_that_works_and_stops_cleanly_by_sigterm(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    call = WORDS.search(told(running))
    assert call is not None
    context = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.crt"))
    headers = {"authorization": f"Bearer {call['token']}"}
    answer = httpx.post(call["url"], json=json.loads(call["body"]), headers=headers, verify=context, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.json()["draft"]["screening"]["policyId"] == "seattle-eligibility"
    pids = json.loads((tmp_path / "run" / "state.json").read_text())["pids"]
    assert all(alive(pids[process]) for process in PROCESSES)
    before = time.monotonic()
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    assert time.monotonic() - before < 20
    assert not any(alive(pids[process]) for process in PROCESSES)
    assert not (tmp_path / "run" / "state.json").exists()
    for log in (tmp_path / "logs").iterdir():
        assert "Traceback" not in log.read_text()
        assert "Fatal" not in log.read_text()


def test_no_process_outlives_a_supervisor_that_was_killed(running: subprocess.Popen[str], tmp_path: Path) -> None:
    told(running)
    pids = json.loads((tmp_path / "run" / "state.json").read_text())["pids"]
    running.kill()
    end = time.monotonic() + 30
    while any(alive(pid) for pid in pids.values()):
        assert time.monotonic() < end, "a process is still there"
        time.sleep(0.1)


def test_a_port_that_is_in_use_is_told_and_is_exit_code_2(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        words = [*UP, "--data", str(tmp_path), "--port", str(port)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"Port {port} is in use" in done.stderr


def test_one_exchange_tells_each_caller_who_he_is_and_heals(tmp_path: Path) -> None:
    with Exchange(tmp_path, trace="file") as exchange:
        with client(exchange, "auditor") as anyone:
            assert anyone.get("/readyz").status_code == 200
            assert "leadx_rpc_seconds" in anyone.get("/metrics").text
        for role, agency in (
            ("police_officer", "sample-police"),
            ("prosecutor", "sample-city-attorney"),
            ("case_manager", "sample-outreach"),
        ):
            with client(exchange, role, agency=agency) as caller:
                me = caller.get("/v1/me")
            assert me.status_code == 200, me.text
            assert (me.json()["role"], me.json()["agencyId"]) == (role, agency)
        before = exchange.pid("review")
        exchange.kill("review")
        exchange.wait(("review",))
        assert exchange.pid("review") not in (0, before)
        exchange.kill("review", stay_down=True)
        assert exchange.pid("review") == 0
        exchange.restart("review")
        with pytest.raises(StartFailed, match="Another exchange runs"):
            Exchange(tmp_path).start(timeout=1)
    assert (tmp_path / "spans" / "gateway.jsonl").stat().st_size > 0
