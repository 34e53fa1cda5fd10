"""The caller assertion, and the classic ways to forge one."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.shared.errors import Code, LeadError
from services.shared.ids import Ids
from services.shared.sharing import assertion
from services.shared.sharing.assertion import AssertionSigner, AssertionVerifier, Caller
from tests.support.clock import FakeClock

KEY = Ed25519PrivateKey.generate()
TYPE = {"typ": "lead-assertion+jwt"}
OFFICER = Caller(
    "acc_sample", "sample-police", "police", "police_officer", "DIVERSION_COORD", ("north", "south"), "", "2"
)
PARTICIPANT = Caller("acc_testa", "", "", "participant", "PATRQT", participant_id="par_sample")


def signer(clock: FakeClock) -> AssertionSigner:
    return AssertionSigner(KEY, clock, Ids())


def verifier(clock: FakeClock) -> AssertionVerifier:
    return AssertionVerifier(KEY.public_key(), "referral", clock)


def claims(clock: FakeClock, **changes: Any) -> dict[str, Any]:
    token = signer(clock).sign(OFFICER, "referral")
    good: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(clock: FakeClock, **changes: Any) -> str:
    return jwt.encode(claims(clock, **changes), KEY, "EdDSA", TYPE)


def refused(token: str, clock: FakeClock) -> bool:
    try:
        verifier(clock).verify(token)
    except LeadError as error:
        # One answer for every cause: what was wrong would help only a forger.
        return (error.code, error.text) == (Code.UNAUTHENTICATED, "The caller assertion is not valid.")
    return False


@pytest.mark.parametrize("caller", [OFFICER, PARTICIPANT])
def test_a_signed_caller_comes_back_whole(caller: Caller) -> None:
    clock = FakeClock()
    assert verifier(clock).verify(signer(clock).sign(caller, "referral")) == caller


def test_a_token_is_good_for_sixty_seconds_and_no_longer() -> None:
    clock = FakeClock()
    checks = verifier(clock)
    token = signer(clock).sign(OFFICER, "referral")
    clock.advance(59.9)
    assert checks.verify(token) == OFFICER
    clock.advance(0.1)
    with pytest.raises(LeadError):
        checks.verify(token)
    assert refused(token, clock)


def test_a_remembered_token_is_refused_when_the_wall_clock_jumps_back() -> None:
    clock = FakeClock()
    checks = verifier(clock)
    token = signer(clock).sign(OFFICER, "referral")
    checks.verify(token)
    clock.set_wall(clock.now() - timedelta(hours=1))
    with pytest.raises(LeadError):
        checks.verify(token)


def test_a_token_from_the_future_is_refused_beyond_a_little_skew() -> None:
    clock = FakeClock()
    soon, later = FakeClock(clock.now() + timedelta(seconds=5)), FakeClock(clock.now() + timedelta(seconds=6))
    assert not refused(signer(soon).sign(OFFICER, "referral"), clock)
    assert refused(signer(later).sign(OFFICER, "referral"), clock)


@pytest.mark.parametrize("audience", ["review", "", ["referral"], ["referral", "review"], 7, None])
def test_another_audience_is_refused(audience: object) -> None:
    clock = FakeClock()
    assert refused(signed(clock, aud=audience), clock)


def test_a_life_of_more_than_sixty_seconds_is_refused() -> None:
    clock = FakeClock()
    issued = int(clock.now().timestamp())
    assert not refused(signed(clock, exp=issued + 60), clock)
    assert refused(signed(clock, exp=issued + 61), clock)
    assert refused(signed(clock, exp=issued), clock)


@pytest.mark.parametrize(
    "claim", ["sub", "agency", "kind", "role", "sites", "participant", "purpose", "acr", "jti", "exp", "iat"]
)
def test_a_missing_claim_is_refused(claim: str) -> None:
    clock = FakeClock()
    assert refused(signed(clock, **{claim: None}), clock)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "sheriff"},
        {"role": "POLICE_OFFICER"},
        {"role": "unspecified"},
        {"role": ["police_officer"]},
        {"kind": "secret_service"},
        {"purpose": "INVESTIGATION"},
        {"purpose": "UNSPECIFIED"},
        {"agency": ""},
        {"kind": ""},
        {"participant": "par_sample"},
        {"role": "participant"},
        {"role": "participant", "agency": "", "kind": "", "participant": ""},
        {"sites": "north"},
        {"sites": ["north", 1]},
        {"acr": 2},
        {"exp": True},
        {"iat": 1.5},
        {"exp": 10**400},
    ],
)
def test_a_word_or_a_type_out_of_place_is_refused(changes: dict[str, Any]) -> None:
    clock = FakeClock()
    assert refused(signed(clock, **changes), clock)


def test_no_signature_is_refused() -> None:
    clock = FakeClock()
    assert refused(jwt.encode(claims(clock), "", "none", TYPE), clock)
    head, body, _ = signer(clock).sign(OFFICER, "referral").split(".")
    assert refused(f"{head}.{body}.", clock)
    assert refused(f"{_segment({'alg': 'none'} | TYPE)}.{body}.", clock)


def _segment(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_the_public_key_as_an_hmac_secret_is_refused() -> None:
    clock = FakeClock()
    raw = KEY.public_key().public_bytes_raw()
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = _segment(claims(clock))
    for secret in (raw, pem):
        for algorithm in ("HS256", "HS512"):
            head = _segment({"alg": algorithm} | TYPE)
            mac = jwt.get_algorithm_by_name(algorithm).sign(f"{head}.{body}".encode(), secret)
            assert refused(f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}", clock)


def test_another_kind_of_key_is_refused() -> None:
    clock = FakeClock()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refused(jwt.encode(claims(clock), key, "RS256", TYPE), clock)


def test_another_ed25519_key_is_refused() -> None:
    clock = FakeClock()
    assert refused(jwt.encode(claims(clock), Ed25519PrivateKey.generate(), "EdDSA", TYPE), clock)


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": None}, TYPE | {"crit": ["b64"], "b64": False}])
def test_a_token_of_another_type_is_refused(header: dict[str, Any]) -> None:
    clock = FakeClock()
    body = _segment(claims(clock))
    head = _segment({"alg": "EdDSA"} | header)
    mac = KEY.sign(f"{head}.{body}".encode())
    assert refused(f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}", clock)


def test_an_oversized_token_is_refused_unread() -> None:
    clock = FakeClock()
    assert not refused(signed(clock, sites=["s" * 50] * 50), clock)
    assert refused(signed(clock, sites=["s" * 50] * 100), clock)


def test_a_changed_claim_breaks_the_signature() -> None:
    clock = FakeClock()
    head, _, mac = signer(clock).sign(OFFICER, "referral").split(".")
    assert refused(f"{head}.{_segment(claims(clock, role='prosecutor', kind='prosecutor'))}.{mac}", clock)


def test_the_memory_of_tokens_is_bounded() -> None:
    clock = FakeClock()
    checks = verifier(clock)
    makes = signer(clock)
    for _ in range(assertion._REMEMBERED + 10):
        checks.verify(makes.sign(OFFICER, "referral"))
    assert len(checks._known) == assertion._REMEMBERED


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: f"{raw.hex()}.{raw.hex()}.{raw.hex()}"))
def test_anything_else_is_refused(token: str) -> None:
    assert refused(token, FakeClock())


@given(
    st.builds(
        Caller,
        st.text(min_size=1, max_size=20),
        st.text(min_size=1, max_size=20),
        st.sampled_from(sorted(assertion._KINDS)),
        st.sampled_from(sorted(assertion._ROLES - {"participant"})),
        st.sampled_from(sorted(assertion._PURPOSES)),
        st.lists(st.text(max_size=20), max_size=5).map(tuple),
        st.just(""),
        st.text(max_size=20),
    )
)
def test_every_caller_comes_back_as_signed(caller: Caller) -> None:
    clock = FakeClock()
    assert verifier(clock).verify(signer(clock).sign(caller, "referral")) == caller
