"""An issuer of tokens for tests: keys, their published file, and tokens good or bad."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.authenticate import Issuer
from tests.support.clock import NOON

AUDIENCE = "https://exchange.example"
ISSUER = "https://issuer.example"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, Any] = {"RS256": RSA_KEY, "ES256": EC_KEY, "EdDSA": ED_KEY}
_WRITERS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def published(**keys: tuple[str, Any]) -> dict[str, Any]:
    """A JWKS of (algorithm, private key) by kid."""
    found = []
    for kid, (algorithm, key) in keys.items():
        written = json.loads(_WRITERS[algorithm].to_jwk(key.public_key()))
        found.append({**written, "kid": kid, "alg": algorithm, "use": "sig"})
    return {"keys": found}


def an_issuer(folder: Path, **keys: tuple[str, Any]) -> Issuer:
    path = folder / "jwks.json"
    publish(path, **(keys or {"one": ("EdDSA", ED_KEY)}))
    return Issuer(ISSUER, AUDIENCE, path)


def publish(path: Path, **keys: tuple[str, Any]) -> None:
    path.write_text(json.dumps(published(**keys)), encoding="utf-8")


def claims(now: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """What a good token says; a change to None leaves the claim out."""
    seconds = int(now.timestamp())
    whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acc_1", "iat": seconds, "exp": seconds + 300, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def a_token(algorithm: str = "EdDSA", key: Any = None, kid: str = "one", **changes: Any) -> str:
    headers = {"kid": kid} if kid else {}
    return jwt.encode(claims(**changes), key or KEYS[algorithm], algorithm=algorithm, headers=headers)


def bearer(token: str) -> str:
    return f"Bearer {token}"


def part(value: Any) -> str:
    """One part of a token, as it is written: JSON, or bytes as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
