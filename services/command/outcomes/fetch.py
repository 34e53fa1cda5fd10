"""Asks the exchange's HTTP face for a report."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Longer than the gateway itself waits for an area.
_SECONDS = 30.0
_OK = 200


class Refused(Exception):  # noqa: N818 - it is told as it reads
    """The exchange says no; the text is its own."""


class Unreachable(Exception):  # noqa: N818 - it is told as it reads
    """The exchange does not answer."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where the exchange is, whom to trust, and who asks."""

    url: str
    ca: Path | None
    token: str

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the report that is asked for. Raises Refused, Unreachable."""
        import httpx

        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        headers = {"authorization": f"Bearer {self.token}"}
        try:
            with httpx.Client(verify=context, timeout=_SECONDS, trust_env=False) as client:
                answer = client.get(f"{self.url}{path}", params=dict(query), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Unreachable from None
        return report_in(answer.status_code, answer.content)


def report_in(status: int, content: bytes) -> dict[str, Any]:
    """Return the report in an answer. Raises Refused for any other answer."""
    try:
        body = json.loads(content)
        if not isinstance(body, dict):
            raise TypeError
    except (ValueError, TypeError):
        raise Refused(f"HTTP {status}, and no JSON: is this an exchange?") from None
    if status != _OK:
        raise Refused(told(body, status))
    report: dict[str, Any] = body.get("report", {})
    return report


def told(problem: Mapping[str, Any], status: int) -> str:
    """Return a problem (RFC 9457) in words, with every field that it names."""
    text = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
    fields = [f"  {each.get('path') or 'it'}: {each.get('wish', '')}" for each in problem.get("violations", ())]
    return "\n".join([text, *fields])
