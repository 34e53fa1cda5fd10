"""Who a token vouches for, and every way in which one does not."""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.authenticate import Authenticator, Identity, Issuer
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON, FakeClock
from tests.unit.gateway.tokens import (
    AUDIENCE,
    ED_KEY,
    ISSUER,
    KEYS,
    RSA_KEY,
    a_token,
    an_issuer,
    bearer,
    claims,
    part,
    publish,
)

SECOND_KEY = ed25519.Ed25519PrivateKey.generate()
SECONDS = int(NOON.timestamp())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return an_issuer(
        tmp_path, **{algorithm: (algorithm, key) for algorithm, key in KEYS.items()}, one=("EdDSA", ED_KEY)
    )


@pytest.fixture
def authenticator(issuer: Issuer, clock: FakeClock) -> Authenticator:
    return Authenticator((issuer,), clock)


def refused(authenticator: Authenticator, authorization: str) -> LeadError:
    with pytest.raises(LeadError) as error:
        authenticator.identify(authorization)
    assert error.value.code is Code.UNAUTHENTICATED
    return error.value


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_good_token_vouches_for_its_account(authenticator: Authenticator, algorithm: str) -> None:
    assert authenticator.identify(bearer(a_token(algorithm, kid=algorithm))) == Identity("acc_1")


def test_a_token_says_all_that_it_says(authenticator: Authenticator) -> None:
    token = a_token(
        roles=["prosecutor"],
        agency="sample-office",
        participant="par_1",
        purposes=["CAREMGT"],
        sites=["north", "south"],
        acr="high",
    )
    assert authenticator.identify(bearer(token)) == Identity(
        "acc_1", ("prosecutor",), "sample-office", "par_1", ("CAREMGT",), ("north", "south"), "high"
    )


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_is_written_as_anybody_likes(authenticator: Authenticator, scheme: str) -> None:
    assert authenticator.identify(scheme + a_token()).account_id == "acc_1"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b.c", "Bearer ...", "é"])
def test_without_a_token_nobody_is_anybody(authenticator: Authenticator, header: str) -> None:
    refused(authenticator, header)
    refused(authenticator, a_token())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://another.example"},
        {"aud": None},
        {"aud": []},
        {"iss": "https://another.example"},
        {"iss": None},
        {"exp": 10**400, "iat": 10**400},
        {"exp": SECONDS},
        {"exp": SECONDS - 1},
        {"exp": None},
        {"iat": SECONDS + 31},
        {"iat": None},
        {"nbf": SECONDS + 31},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"exp": "soon"},
        {"exp": [SECONDS + 300]},
        {"exp": {}},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": True},
        {"iat": "now"},
        {"iat": float("-inf")},
        {"nbf": "later"},
        {"roles": "prosecutor"},
        {"purposes": {"CAREMGT": True}},
        {"sites": "north"},
    ],
    ids=str,
)
def test_a_token_with_wrong_claims_is_refused(authenticator: Authenticator, changes: dict[str, Any]) -> None:
    refused(authenticator, bearer(a_token(**changes)))


def test_an_audience_may_be_one_of_several(authenticator: Authenticator) -> None:
    assert authenticator.identify(bearer(a_token(aud=["https://another.example", AUDIENCE]))).account_id == "acc_1"


def test_clocks_may_differ_by_half_a_minute(authenticator: Authenticator) -> None:
    assert authenticator.identify(bearer(a_token(iat=SECONDS + 30, nbf=SECONDS + 30))).account_id == "acc_1"


def test_a_token_is_good_until_it_expires_and_no_longer(authenticator: Authenticator, clock: FakeClock) -> None:
    token = bearer(a_token(exp=SECONDS + 60))
    clock.advance(59)
    assert authenticator.identify(token).account_id == "acc_1"
    clock.advance(1)
    refused(authenticator, token)


def test_a_remembered_token_is_looked_at_by_the_clock_all_the_same(
    authenticator: Authenticator, clock: FakeClock
) -> None:
    token = bearer(a_token(exp=SECONDS + 40))
    for _ in range(3):
        authenticator.identify(token)
        clock.advance(10)
    clock.advance(10)
    refused(authenticator, token)


# Tokens that are signed wrongly.


def test_a_token_without_a_signature_is_refused(authenticator: Authenticator) -> None:
    """alg none."""
    for algorithm in ("none", "None", "NONE", ""):
        token = ".".join([part({"alg": algorithm, "kid": "one"}), part(claims()), ""])
        refused(authenticator, bearer(token))
    refused(authenticator, bearer(jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"})))


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_public_key_is_not_taken_for_a_shared_secret(
    authenticator: Authenticator, encoding: serialization.Encoding
) -> None:
    """HS256 signed with the published RSA key."""
    secret = RSA_KEY.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': 'RS256'})}.{part(claims())}"
    token = f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256'))}"
    refused(authenticator, bearer(token))


def test_a_shared_secret_among_the_keys_opens_nothing(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "jwks.json"
    secret = {"kty": "oct", "kid": "one", "alg": "HS256", "k": part(b"0" * 32)}
    path.write_text(json.dumps({"keys": [secret]}), encoding="utf-8")
    token = jwt.encode(claims(), b"0" * 32, algorithm="HS256", headers={"kid": "one"})
    refused(Authenticator((Issuer(ISSUER, AUDIENCE, path),), clock), bearer(token))


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "ES256"), ("ES256", "RS256"), ("EdDSA", "ES256")])
def test_a_token_is_checked_by_the_algorithm_of_its_key(authenticator: Authenticator, algorithm: str, kid: str) -> None:
    refused(authenticator, bearer(a_token(algorithm, kid=kid)))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_an_algorithm_that_is_not_listed_is_refused_though_the_key_is_right(
    authenticator: Authenticator, algorithm: str
) -> None:
    refused(authenticator, bearer(a_token(algorithm, RSA_KEY, kid="RS256")))


def test_another_key_under_a_known_id_is_refused(authenticator: Authenticator) -> None:
    refused(authenticator, bearer(a_token(key=SECOND_KEY)))
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused(authenticator, bearer(a_token("RS256", other, kid="RS256")))


@pytest.mark.parametrize("kid", ["two", "", "../jwks", "0"])
def test_an_unknown_key_is_refused(authenticator: Authenticator, kid: str) -> None:
    refused(authenticator, bearer(a_token(kid=kid)))


def test_a_key_of_another_issuer_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    """Each issuer is believed for its own tokens alone."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mine = an_issuer(tmp_path / "a", one=("EdDSA", ED_KEY))
    theirs = replace(an_issuer(tmp_path / "b", two=("EdDSA", SECOND_KEY)), issuer="https://second.example")
    both = Authenticator((mine, theirs), clock)
    assert both.identify(bearer(a_token(key=SECOND_KEY, kid="two", iss="https://second.example"))).account_id == "acc_1"
    refused(both, bearer(a_token(key=SECOND_KEY, kid="two")))
    refused(both, bearer(a_token(iss="https://second.example")))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 400), st.integers(1, 255))
def test_a_token_that_was_changed_is_refused(authenticator: Authenticator, place: int, by: int) -> None:
    token = bytearray(a_token().encode())
    place %= len(token)
    before = chr(token[place])
    after = chr((token[place] ^ by) % 128)
    # The last letter of a part has bits that say nothing.
    if before == after or place + 1 == len(token) or token[place + 1 : place + 2] == b".":
        return
    token[place] = ord(after)
    refused(authenticator, bearer(token.decode("ascii")))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text_at_all_is_refused_the_same_way(authenticator: Authenticator, text: str) -> None:
    assert str(refused(authenticator, "Bearer " + text)) == str(refused(authenticator, ""))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, JSON)
def test_any_json_at_all_is_refused_the_same_way(authenticator: Authenticator, header: Any, payload: Any) -> None:
    refused(authenticator, bearer(f"{part(header)}.{part(payload)}.{part(b'signature')}"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["exp", "iat", "nbf", "roles", "sub", "aud", "iss", "sites"]), JSON, min_size=1))
def test_whatever_an_issuer_signs_is_an_identity_or_a_refusal(
    authenticator: Authenticator, changes: dict[str, Any]
) -> None:
    token = (
        jwt.encode({**claims(), **changes}, ED_KEY, algorithm="EdDSA", headers={"kid": "one"})
        if _encodes(changes)
        else a_token()
    )
    try:
        assert isinstance(authenticator.identify(bearer(token)), Identity)
    except LeadError as error:
        assert error.code is Code.UNAUTHENTICATED  # noqa: PT017 - either is right, any other exception is not


def _encodes(changes: dict[str, Any]) -> bool:
    # The library refuses to sign a token whose issuer is no text.
    return isinstance(changes.get("iss", ""), str)


@pytest.mark.parametrize("place", ["header", "payload"])
def test_a_token_that_is_nested_deep_is_refused(authenticator: Authenticator, place: str) -> None:
    deep = b"[" * 2900 + b"]" * 2900
    header, payload = part({"alg": "EdDSA", "kid": "one"}), part(claims())
    parts = [part(deep), payload] if place == "header" else [header, part(deep)]
    refused(authenticator, bearer(".".join([*parts, part(b"x")])))
    inside = b'{"iss":' + b"[" * 2500 + b"]" * 2500 + b"}"
    refused(authenticator, bearer(".".join([header, part(inside), part(b"x")])))


def test_an_oversized_token_is_refused_unread(authenticator: Authenticator) -> None:
    refused(authenticator, bearer(a_token(sites=["s" * 9000])))
    refused(authenticator, "Bearer " + "a" * 10_000_000)


def test_a_refusal_says_neither_why_nor_what_was_sent(authenticator: Authenticator) -> None:
    texts = {
        str(refused(authenticator, authorization))
        for authorization in (
            "canary",
            bearer(a_token(aud="canary")),
            bearer(a_token(exp=1)),
            bearer(a_token(kid="canary")),
            bearer("canary.canary.canary"),
        )
    }
    assert len(texts) == 1
    assert "canary" not in texts.pop()


# Keys that change.


def test_a_new_key_is_believed_without_a_restart(authenticator: Authenticator, issuer: Issuer) -> None:
    authenticator.identify(bearer(a_token()))
    fresh = bearer(a_token(key=SECOND_KEY, kid="two"))
    refused(authenticator, fresh)
    publish(issuer.jwks, one=("EdDSA", ED_KEY), two=("EdDSA", SECOND_KEY))
    assert authenticator.identify(fresh).account_id == "acc_1"
    assert authenticator.identify(bearer(a_token(sub="acc_2"))).account_id == "acc_2"


def test_a_key_that_was_taken_away_is_believed_no_more(
    authenticator: Authenticator, issuer: Issuer, clock: FakeClock
) -> None:
    """Its tokens too: at most a minute after, whoever comes with one."""
    known, fresh = bearer(a_token(exp=SECONDS + 3000)), bearer(a_token(exp=SECONDS + 3000, sub="acc_2"))
    authenticator.identify(known)
    publish(issuer.jwks, two=("EdDSA", SECOND_KEY))
    os.utime(issuer.jwks, ns=(1, 1))
    refused(authenticator, fresh)
    clock.advance(60)
    refused(authenticator, known)
    assert authenticator.identify(bearer(a_token(key=SECOND_KEY, kid="two"))).account_id == "acc_1"


def test_while_the_keys_cannot_be_read_nobody_new_is_believed(authenticator: Authenticator, issuer: Issuer) -> None:
    for broken in ("", "{", "[]", '{"keys": 7}', '{"keys": []}'):
        issuer.jwks.write_text(broken, encoding="utf-8")
        refused(authenticator, bearer(a_token()))
    issuer.jwks.unlink()
    refused(authenticator, bearer(a_token()))
    publish(issuer.jwks, one=("EdDSA", ED_KEY))
    assert authenticator.identify(bearer(a_token())).account_id == "acc_1"


def test_only_so_many_tokens_are_remembered(authenticator: Authenticator) -> None:
    for number in range(5000):
        authenticator._verified[number.to_bytes(32, "big")] = (Identity("acc_old"), 1e12)
    authenticator.identify(bearer(a_token()))
    assert len(authenticator._verified) <= 5000
