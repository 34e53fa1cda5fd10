"""Somebody who reads a list page by page through the gateway."""

from __future__ import annotations

import ssl
import time
from typing import Any, Self

import httpx

from services.command.exchange import Exchange

_PATH = "/v1/referrals"
_SECONDS = 20.0


class Pages:
    """A reader of referrals. `shown` has the ids of all pages so far, in order."""

    def __init__(self, exchange: Exchange, token: str, size: int) -> None:
        """Read as the holder of the token, so many rows a page, from the first page on."""
        context = ssl.create_default_context(cafile=str(exchange.ca_path))
        self._http = httpx.Client(
            base_url=exchange.http_url,
            headers={"authorization": f"Bearer {token}"},
            verify=context,
            timeout=_SECONDS,
            trust_env=False,
        )
        self._size, self._next = size, ""
        self.shown: list[str] = []

    def __enter__(self) -> Self:
        """Keep one connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._http.close()

    def milliseconds(self, pages: int) -> float:
        """Read the next pages and return how long one took. Raises RuntimeError for a refusal, and behind the end."""
        begun = time.perf_counter()
        answers = [self._page() for _ in range(pages)]
        spent = time.perf_counter() - begun
        for answer in answers:
            self.shown += [row["id"] for row in answer["referrals"]]
        return spent * 1000 / pages

    def _page(self) -> dict[str, Any]:
        asked = {"pageSize": str(self._size), **({"pageToken": self._next} if self._next else {})}
        answer = self._http.get(_PATH, params=asked)
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"a page was answered with {answer.status_code}")
        page: dict[str, Any] = answer.json()
        if "nextPageToken" not in page:
            raise RuntimeError("there are fewer pages than are to be read")
        self._next = page["nextPageToken"]
        return page
