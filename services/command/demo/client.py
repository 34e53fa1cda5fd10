"""Clients of the public faces, as an agency would write them: HTTP with a bearer token, gRPC with the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx

_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back: status, parsed JSON (or None), and the raw bytes."""

    status: int
    body: Any
    raw: bytes

    def __getitem__(self, name: str) -> Any:
        """Return a member of the JSON object. Raises KeyError."""
        return self.body[name]


class Client:
    """One caller on the HTTP face."""

    def __init__(self, url: str, ca: Path, token: str) -> None:
        """Call `url` with this bearer token, trusting this authority alone."""
        import ssl

        self._http = httpx.Client(
            base_url=url,
            verify=ssl.create_default_context(cafile=str(ca)),
            timeout=_SECONDS,
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
        )

    def get(self, path: str, *, purpose: str = "", **query: str) -> Answer:
        """GET a path."""
        return self._call("GET", path, purpose, params=query)

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, purpose: str = "", headers: Mapping[str, str] = {}
    ) -> Answer:
        """POST a JSON body."""
        return self._call("POST", path, purpose, json=dict(body or {}), headers=dict(headers))

    def patch(self, path: str, body: Mapping[str, Any], *, purpose: str = "") -> Answer:
        """PATCH with a JSON body."""
        return self._call("PATCH", path, purpose, json=dict(body))

    def send(self, path: str, data: bytes, content_type: str) -> Answer:
        """POST raw bytes."""
        return self._call("POST", path, "", content=data, headers={"content-type": content_type})

    def pages(self, path: str, rows: str, *, purpose: str = "", **query: str) -> Iterator[dict[str, Any]]:
        """Yield all rows of a list, page by page; nothing where the list isn't for this caller."""
        token = ""
        while True:
            answer = self.get(path, purpose=purpose, **query, **({"pageToken": token} if token else {}))
            if answer.status != 200:
                return
            yield from answer.body.get(rows, [])
            token = answer.body.get("nextPageToken", "")
            if not token:
                return

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(self, verb: str, path: str, purpose: str, **how: Any) -> Answer:
        headers = {**how.pop("headers", {}), **({"x-purpose-of-use": purpose} if purpose else {})}
        response = self._http.request(verb, path, headers=headers, **how)
        is_json = "json" in response.headers.get("content-type", "")
        return Answer(response.status_code, response.json() if is_json else None, response.content)


def grpc_channel(target: str, ca: Path) -> grpc.Channel:
    """Return a channel to the gRPC face, trusting this authority alone."""
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(ca.read_bytes()))


def bearer(token: str, **more: str) -> tuple[tuple[str, str], ...]:
    """Return call metadata that says who calls; more by names such as `x_purpose_of_use`."""
    return (("authorization", f"Bearer {token}"), *((name.replace("_", "-"), text) for name, text in more.items()))
