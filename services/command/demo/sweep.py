"""Looks for personal data where none may be: spans, log lines, the bytes of the event log, bodies of errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from lead.referral.v1.referral_service_pb2 import GetReferralRequest
from lead.referral.v1.referral_service_pb2_grpc import ReferralServiceStub

from services.command.demo import drafts
from services.command.demo.client import Answer, bearer, grpc_channel
from services.command.demo.story import Person, Story
from services.command.layout import Layout


@dataclass(frozen=True, slots=True)
class Swept:
    """What was looked through, and where something was found."""

    files: int
    size: int
    found: tuple[str, ...]


def files(layout: Layout) -> Mapping[str, Sequence[Path]]:
    """Return the files that the operator of the machine or of the log can read, by kind."""
    kinds = {"spans": layout.spans("x").parent, "log lines": layout.log("x").parent, "events": layout.event_log}
    return {kind: sorted(path for path in folder.iterdir() if path.is_file()) for kind, folder in kinds.items()}


def sweep(paths: Iterable[Path], canaries: Iterable[str]) -> Swept:
    """Search whole files; what was found is told by file name, never by the canary."""
    wanted, count, size, found = _forms(canaries), 0, 0, []
    for path in paths:
        content = path.read_bytes()
        count, size = count + 1, size + len(content)
        if any(one in content for one in wanted):
            found.append(path.name)
    return Swept(count, size, tuple(found))


def holds_any(content: bytes, canaries: Iterable[str]) -> bool:
    """Tell whether a canary is in these bytes."""
    return any(one in content for one in _forms(canaries))


def errors(story: Story, person: Person) -> Iterator[tuple[str, int, bytes]]:
    """Provoke refusals with the person's facts in every place; yields what was tried, the status, and all that came."""
    name, fact = person.family_name, drafts.phone(person)
    officer, prosecutor = story.caller("police_officer", drafts.POLICE), story.caller("prosecutor", drafts.OFFICE)
    draft = drafts.referral(person, "ARREST_DIVERSION", None, None)
    wrong = draft | {"door": fact, "referralTime": name, "contact": {"phones": fact}, "person": {"birthDate": name}}
    doubled = f'{{"narrative": "{name}", "narrative": "{fact}"}}'.encode()
    tries: dict[str, Callable[[], tuple[int, bytes]]] = {
        "wrong types": _http(lambda: officer.post("/v1/referrals", wrong)),
        "a key twice": _http(lambda: officer.send("/v1/referrals", doubled, "application/json")),
        "no JSON": _http(lambda: officer.send("/v1/referrals", name.encode(), "application/json")),
        "no such record": _http(lambda: officer.get(f"/v1/referrals/{name}")),
        "no such path": _http(lambda: officer.get(f"/v1/{name}")),
        "a stale etag": _http(lambda: officer.post(f"/v1/referrals/{person.referral_id}:recordOffer", {"etag": name})),
        "an unknown purpose": _http(lambda: officer.get("/v1/referrals", purpose=name)),
        "a foreign cursor": _http(lambda: prosecutor.get("/v1/reviews", pageToken=name)),
        "another's call": _http(lambda: prosecutor.post("/v1/referrals", draft)),
        "no XML": _http(lambda: officer.send("/v1/incidents:import", name.encode(), "application/xml")),
        "over gRPC": lambda: _over_grpc(story, name),
    }
    for what, attempt in tries.items():
        yield what, *attempt()


def _http(call: Callable[[], Answer]) -> Callable[[], tuple[int, bytes]]:
    def attempt() -> tuple[int, bytes]:
        answer = call()
        return answer.status, answer.raw

    return attempt


def _over_grpc(story: Story, name: str) -> tuple[int, bytes]:
    exchange = story.exchange
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        token = exchange.token("police_officer", agency=drafts.POLICE)
        try:
            ReferralServiceStub(channel).GetReferral(GetReferralRequest(id=name), metadata=bearer(token))
        except grpc.RpcError as error:
            return 400, b"".join([(error.details() or "").encode(), *_beside(error)])
    return 200, b""


def _beside(error: Any) -> Iterator[bytes]:
    """Yield what came beside a status: the details that programs read, and every header."""
    for _, value in error.trailing_metadata() or ():
        yield value if isinstance(value, bytes) else value.encode()


def _forms(canaries: Iterable[str]) -> frozenset[bytes]:
    """Return the canaries as they would lie in a file: as text, and as text inside JSON."""
    return frozenset(form for one in canaries if one for form in (one.encode(), json.dumps(one)[1:-1].encode()))
