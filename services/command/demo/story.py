"""What the chapters share: the exchange, who is who, and what happened so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from services.command.demo.client import Client
from services.command.exchange import Exchange

T = TypeVar("T")
_PATIENCE_SECONDS = 10.0


@dataclass
class Person:
    """A made-up person on the way through the programme, and the ids that the way gave."""

    given_name: str
    family_name: str
    birth_date: str
    case_agency: str
    referral_id: str = ""
    handoff_id: str = ""
    participant_id: str = ""
    # Consent ids by a short name: `narrow`, `full`.
    consents: dict[str, str] = field(default_factory=dict)
    # Ids of service referrals and enrolments by provider agency: `srf_…` and `enr_…`, one of each.
    services: dict[str, str] = field(default_factory=dict)


@dataclass
class Story:
    """The exchange and its people. Chapters leave here what later ones need."""

    exchange: Exchange
    people: dict[str, Person] = field(default_factory=dict)
    # Every name, birth date, phone and id of a person that was sent in: none may show where the operator looks.
    canaries: set[str] = field(default_factory=set)
    # Ids of what providers offer, by agency.
    services: dict[str, str] = field(default_factory=dict)
    # Signed checkpoints that a witness keeps.
    witnessed: list[str] = field(default_factory=list)
    _clients: dict[tuple[str, str, str], Client] = field(default_factory=dict)

    def caller(self, role: str, agency: str = "", participant: str = "") -> Client:
        """Return the HTTP client of one role of one agency, or of a participant."""
        key = (role, agency, participant)
        if key not in self._clients:
            exchange = self.exchange
            token = exchange.token(role, agency=agency, participant=participant)
            self._clients[key] = Client(exchange.http_url, exchange.ca_path, token)
        return self._clients[key]

    def eventually(self, look: Callable[[], T], seconds: float = _PATIENCE_SECONDS, every: float = 0.05) -> T:
        """Return what `look` finds as soon as it is true, or its last answer: events travel, answers don't wait."""
        end = time.monotonic() + seconds
        while not (found := look()) and time.monotonic() < end:
            time.sleep(every)
        return found

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            client.close()
