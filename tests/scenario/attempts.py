"""What holds for every wrong call, whatever was wrong with it: a refusal that tells where, and nothing else.

Every wrong value holds `CANARY`, so that an echo of it is found: in a body, in a header, in a log.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import httpx

from services.command.demo.client import Answer, Client
from services.command.exchange import Exchange

CANARY = "zqcanaria"
JSON = {"content-type": "application/json"}
# Traces, places in code and texts of libraries: none of it is anybody's business.
_INSIDES = re.compile(rb"Traceback|File \"|\.py\b|site-packages|sqlalchemy|protobuf|lxml|grpc_status|0x[0-9a-f]{8}")
_STEP = re.compile(r"([A-Za-z]+)|\[(\d+)\]")


class Tried:
    """Judges answers to wrong calls of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def refused(
        self, answer: Answer | httpx.Response, status: int, *paths: str, reason: str = "", canary: str = CANARY
    ) -> dict[str, Any]:
        """Return the problem of a refusal, after checking that it names exactly these paths and echoes nothing."""
        code, raw = (answer.status, answer.raw) if isinstance(answer, Answer) else (answer.status_code, answer.content)
        assert code == status, raw
        assert canary.encode() not in raw.lower(), raw
        assert not _INSIDES.search(raw), raw
        if isinstance(answer, httpx.Response):
            assert answer.headers["content-type"] == "application/problem+json"
            assert canary not in str(answer.headers).lower()
        problem: dict[str, Any] = json.loads(raw)
        assert problem["status"] == status
        assert problem["requestId"].startswith("req_")
        told = [one["path"] for one in problem.get("violations", [])]
        assert sorted(set(told)) == sorted(set(paths)), problem
        assert not reason or problem["reason"] == reason, problem
        return problem

    def results(self, answer: Answer) -> list[dict[str, Any]]:
        """Return what became of each row of a batch, after checking that nothing of any row is echoed."""
        assert answer.status == 200, answer.raw
        assert CANARY.encode() not in answer.raw.lower(), answer.raw
        assert not _INSIDES.search(answer.raw), answer.raw
        rows: list[dict[str, Any]] = answer.body.get("results", [])
        return rows

    def logs_are_clean(self) -> None:
        """Check that no process has written down a canary, a trace or something unforeseen."""
        for log in sorted((self._exchange.layout.data / "logs").iterdir()):
            content = log.read_bytes()
            assert CANARY.encode() not in content.lower(), log.name
            assert b"Traceback" not in content, log.name
            unforeseen = [line for line in content.splitlines() if b"unforeseen" in line]
            assert not unforeseen, unforeseen

    def still_serves(self, client: Client) -> None:
        """Check that the exchange is ready and answers."""
        assert client.get("/readyz").status == 200
        assert client.get("/v1/me").status == 200


def ask(client: Client, verb: str, path: str, **how: Any) -> httpx.Response:
    """Send a call as it is, and return the whole response."""
    return client._http.request(verb, path, **how)


def held(client: Client, path: str, rows: str, **query: str) -> list[dict[str, Any]]:
    """Return all rows of a list that a client sees: what must be the same before and after a refusal."""
    return list(client.pages(path, rows, pageSize="500", **query))


def wrong(draft: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with these values at their paths, `{"charges[0].substances[0].quantity": "-1"}`."""
    changed: dict[str, Any] = copy.deepcopy(dict(draft))
    for path, value in values.items():
        _put(changed, [name or int(place) for name, place in _STEP.findall(path)], value)
    return changed


def _put(inside: Any, steps: list[str | int], value: Any) -> None:
    for step, following in pairwise(steps):
        if isinstance(step, int):
            while len(inside) <= step:
                inside.append({})
        elif step not in inside:
            inside[step] = [] if isinstance(following, int) else {}
        inside = inside[step]
    last = steps[-1]
    if isinstance(last, int) and len(inside) <= last:
        inside.append(value)
    else:
        inside[last] = value


def named(row: Mapping[str, Any]) -> set[str]:
    """Return the paths that the refusal of a row names."""
    return {str(one.get("path", "")) for one in row.get("violations", [])}


def ids(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of rows."""
    return {str(row["id"]) for row in rows}
