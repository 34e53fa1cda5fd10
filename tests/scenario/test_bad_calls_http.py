"""Wrong calls over HTTP: who calls, for what, by which path and verb, with which query and cursor."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from services.command.demo import drafts
from services.command.demo.client import Client
from services.command.demo.story import Person
from services.command.exchange import Exchange
from tests.scenario.attempts import CANARY, JSON, Tried, ask

pytestmark = pytest.mark.timeout(180)
POLICE = "sample-police"
SOMEBODY = Person("Testa", "Sample-Call", "1985-05-05", "sample-outreach")


@pytest.fixture(scope="module")
def officer(client: Callable[..., Client]) -> Client:
    return client("police_officer", POLICE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, officer: Client) -> Iterator[None]:
    yield
    tried.still_serves(officer)
    tried.logs_are_clean()


def draft() -> drafts.Draft:
    return drafts.referral(SOMEBODY, "ARREST_DIVERSION", None, None)


# Who calls


def _tokens(token: str) -> dict[str, str]:
    header, claims, signature = token.split(".")

    def with_header(text: str) -> str:
        return f"Bearer {_part(text)}.{claims}.{signature}"

    return {
        "none": "",
        "no scheme": token,
        "another scheme": f"Basic {token}",
        "garbage": f"Bearer {CANARY}",
        "three dots": "Bearer ...",
        "another signature": f"Bearer {header}.{claims}.{signature[:-4]}AAAA",
        "no algorithm": with_header('{"alg":"none"}'),
        "a shared secret": with_header('{"alg":"HS256","kid":"x"}'),
        "a list": with_header("[1]"),
        "deep": with_header('{"alg":' + "[" * 2_000 + "]" * 2_000 + "}"),
        "other claims": f"Bearer {header}.{_part('[1]')}.{signature}",
        "long": "Bearer " + "a" * 20_000,
    }


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def test_a_caller_without_a_valid_token_gets_401(exchange: Exchange, officer: Client, tried: Tried) -> None:
    for name, header in _tokens(exchange.token("police_officer", agency=POLICE)).items():
        answer = ask(officer, "GET", "/v1/me", headers={"authorization": header})
        tried.refused(answer, 401, reason="UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer", name


def test_an_unknown_caller_learns_nothing_about_his_request(officer: Client, tried: Tried) -> None:
    nobody = {"authorization": f"Bearer {CANARY}"}
    answer = ask(officer, "POST", "/v1/referrals", content=b"[", headers=JSON | nobody)
    tried.refused(answer, 401)
    tried.refused(ask(officer, "GET", "/v1/referrals?pageSize=0", headers=nobody), 401)


@pytest.mark.parametrize("name", ["authorization", "x-role", "x-purpose-of-use", "content-type", "idempotency-key"])
def test_a_header_that_comes_twice_is_refused(name: str, exchange: Exchange, officer: Client, tried: Tried) -> None:
    token = f"Bearer {exchange.token('police_officer', agency=POLICE)}"
    headers = [("content-type", "application/json")] if name != "content-type" else []
    headers += [(name, token), (name, token)] if name == "authorization" else [(name, CANARY), (name, CANARY)]
    tried.refused(ask(officer, "POST", "/v1/referrals", json=draft(), headers=headers), 400, name)


@pytest.mark.parametrize(
    ("role", "agency", "path", "headers", "refusal"),
    [
        ("police_officer", POLICE, "/v1/referrals", {"x-purpose-of-use": CANARY}, (400, "UNKNOWN_WORD")),
        ("police_officer", POLICE, "/v1/referrals", {"x-purpose-of-use": "diversion_coord"}, (400, "UNKNOWN_WORD")),
        ("police_officer", POLICE, "/v1/referrals", {"x-purpose-of-use": b"\xff\xfe"}, (400, "UNKNOWN_WORD")),
        ("police_officer", POLICE, "/v1/referrals", {"x-purpose-of-use": "WARRANT"}, (403, "PURPOSE_REFUSED")),
        ("police_officer", POLICE, "/v1/referrals", {"x-purpose-of-use": "INTEL"}, (403, "PURPOSE_REFUSED")),
        (
            "prosecutor",
            "sample-city-attorney",
            "/v1/reviews",
            {"x-purpose-of-use": "PROSECUTION"},
            (403, "PURPOSE_REFUSED"),
        ),
        ("police_officer", POLICE, "/v1/referrals", {"x-purpose-of-use": "TREAT"}, (403, "PURPOSE_NOT_ALLOWED")),
        (
            "case_manager",
            "sample-outreach",
            "/v1/handoffs",
            {"x-purpose-of-use": "CAREMGT"},
            (403, "PURPOSE_NOT_ALLOWED"),
        ),
        ("police_officer", POLICE, "/v1/reviews", {}, (403, "ROLE_NOT_ALLOWED")),
        ("operator", "sample-operator", "/v1/referrals", {}, (403, "ROLE_NOT_ALLOWED")),
        ("evaluator", "sample-evaluator", "/v1/participants", {}, (403, "ROLE_NOT_ALLOWED")),
        ("police_rms", "sample-jail", "/v1/referrals", {}, (403, "NOT_FOR_THIS_AGENCY")),
        ("police_officer", POLICE, "/v1/referrals", {"x-role": CANARY}, (400, "UNKNOWN_WORD")),
        ("police_officer", POLICE, "/v1/referrals", {"x-role": "prosecutor"}, (403, "ROLE_REFUSED")),
    ],
)
def test_a_role_or_purpose_that_is_not_the_callers_is_refused(
    role: str,
    agency: str,
    path: str,
    headers: dict[str, Any],
    refusal: tuple[int, str],
    client: Callable[..., Client],
    tried: Tried,
) -> None:
    tried.refused(ask(client(role, agency), "GET", path, headers=headers), refusal[0], reason=refusal[1])


# Where


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        f"/v1/{CANARY}",
        "/V1/me",
        "/v1/me/",
        "//v1/me",
        "/v1//me",
        "/v1%2Fme",
        "/v1/../v1/me",
        "/v1/referrals/..",
        "/v1/referrals/%2e%2e",
        "/v1/referrals/%2e%2e/incidents",
        "/v1/referrals/a%2Fb",
        "/v1/referrals/a%252Fb",
        "/v1/referrals/%00",
        "/v1/referrals/%ff",
        "/v1/referrals/%zz",
        "/v1/referrals/a%3Awithdraw",
        "/v1/me;a=b",
        "/v1\\me",
        "/v1/referrals/" + "a" * 5_000,
    ],
)
def test_a_path_that_is_none_answers_404(path: str, exchange: Exchange, officer: Client, tried: Tried) -> None:
    token = exchange.token("police_officer", agency=POLICE)
    for verb in ("GET", "POST"):
        head = f"{verb} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n"
        status, headers, body = _raw(exchange, head.encode() + b"content-length: 0\r\n\r\n")
        answer = httpx.Response(status, headers=headers, content=body)
        tried.refused(answer, 404, reason="NOT_FOUND")


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("DELETE", "/v1/referrals", "GET, POST"),
        ("PUT", "/v1/referrals/x", "GET"),
        ("GET", "/v1/referrals:screen", "POST"),
        ("GET", "/v1/referrals/x:withdraw", "POST"),
        ("OPTIONS", "/v1/me", "GET"),
        ("TRACE", "/v1/me", "GET"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/readyz", "GET, HEAD"),
    ],
)
def test_a_verb_that_a_path_has_not_answers_405(
    verb: str, path: str, allowed: str, officer: Client, tried: Tried
) -> None:
    answer = ask(officer, verb, path)
    tried.refused(answer, 405, reason="METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /v1/referrals/\xff\xfe HTTP/1.1\r\nhost: a\r\n",
        b"GET /v1/me HTTP/1.1\r\nhost: a\r\nx-a\x00: zqcanaria\r\n",
        b"POST /v1/referrals HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n",
        b"POST /v1/referrals HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"POST /v1/referrals HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 5\r\n",
        b"zqcanaria\r\n",
    ],
)
def test_what_is_no_http_is_refused(request_line: bytes, exchange: Exchange) -> None:
    status, _, body = _raw(exchange, request_line + b"connection: close\r\n\r\n")
    assert status == 400
    assert CANARY.encode() not in body


def _raw(exchange: Exchange, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; returns status, headers and body."""
    host, _, port = exchange.http_url.removeprefix("https://").partition(":")
    context = ssl.create_default_context(cafile=str(exchange.ca_path))
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        wrapped.sendall(data)
        parts = []
        while part := wrapped.recv(65_536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


# Queries and cursors


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("pageSize=0", ["pageSize"]),
        ("pageSize=501", ["pageSize"]),
        ("pageSize=-1", ["pageSize"]),
        (f"pageSize={CANARY}&updatedAfter={CANARY}", ["pageSize", "updatedAfter"]),
        ("pageSize=5&pageSize=5", ["pageSize"]),
        ("pageSize=99999999999999999999", ["pageSize"]),
        (f"nickname={CANARY}&pageSize=0.5", ["nickname", "pageSize"]),
        (f"{CANARY}%20=1", ["?"]),
        ("updatedAfter=2999-01-01T00:00:00Z", ["updatedAfter"]),
        (f"pageToken={CANARY}", ["pageToken"]),
        ("pageToken=%ff", ["pageToken"]),
        ("pageToken=" + "A" * 4_000, ["pageToken"]),
    ],
)
def test_a_wrong_query_is_refused_by_its_parameters(
    query: str, paths: list[str], officer: Client, tried: Tried
) -> None:
    tried.refused(ask(officer, "GET", f"/v1/referrals?{query}"), 400, *paths)


def test_a_body_on_a_read_is_refused(officer: Client, tried: Tried) -> None:
    tried.refused(ask(officer, "GET", "/v1/referrals", content=CANARY.encode(), headers=JSON), 400, "")


def test_a_cursor_is_good_for_nobody_and_nothing_else(
    client: Callable[..., Client], officer: Client, tried: Tried
) -> None:
    for _ in range(2):
        assert officer.post("/v1/referrals", draft()).status == 200
    token = officer.get("/v1/referrals", pageSize="1")["nextPageToken"]
    assert officer.get("/v1/referrals", pageSize="2", pageToken=token).status == 200
    others = {
        "another caller": ask(client("police_officer", "sample-sheriff"), "GET", f"/v1/referrals?pageToken={token}"),
        "another list": ask(officer, "GET", f"/v1/incidents?pageToken={token}"),
        "another filter": ask(officer, "GET", f"/v1/referrals?updatedAfter=2026-01-01T00:00:00Z&pageToken={token}"),
        "another purpose": ask(
            officer, "GET", f"/v1/referrals?pageToken={token}", headers={"x-purpose-of-use": "DIVERSION_ELIG"}
        ),
        "changed": ask(officer, "GET", f"/v1/referrals?pageToken=A{token[1:]}"),
    }
    for name, answer in others.items():
        assert answer.status_code == 400, name
        tried.refused(answer, 400, "pageToken")


def test_too_many_dry_runs_are_refused_until_later(client: Callable[..., Client], tried: Tried) -> None:
    officer, sent = client("police_officer", "sample-santa-fe-police"), {"siteId": "santa-fe"}
    tries = (ask(officer, "POST", "/v1/referrals:screen", json=sent) for _ in range(200))
    answer = next(answer for answer in tries if answer.status_code != 400)
    tried.refused(answer, 429, reason="RESOURCE_EXHAUSTED")
    assert int(answer.headers["retry-after"]) > 0
    assert ask(client("police_officer", POLICE), "POST", "/v1/referrals:screen", json=sent).status_code == 400
