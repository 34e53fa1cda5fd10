"""Who is this? Bearer tokens of OIDC issuers, checked against their published keys. Nobody is anybody without one.

A token says which account it is; what that account may do stands in the registry. Participants have no account: their
issuer vouches for the participant id.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from services.shared.clock import Clock
from services.shared.errors import LeadError, unauthenticated

_ALGORITHMS = ["EdDSA", "ES256", "RS256"]
_LARGEST_TOKEN = 8 * 1024
_REMEMBERED = 4096
_SKEW_SECONDS = 30
# A key that was taken away is believed no longer than this, with the tokens that it has signed.
_LOOKED_AT_EVERY_SECONDS = 60
_SCHEME = "bearer "
# Times are checked here, by the clock that was passed in.
_OPTIONS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp", "iat", "sub", "iss"]}


@dataclass(frozen=True)
class Issuer:
    """An issuer that is believed: its name, the audience its tokens must have, and the file of its keys (JWKS)."""

    issuer: str
    audience: str
    jwks: Path


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token vouches for. Empty tuples limit nothing; `participant_id` is set for a participant alone."""

    account_id: str
    roles: tuple[str, ...] = ()
    agency_id: str = ""
    participant_id: str = ""
    purposes: tuple[str, ...] = ()
    site_ids: tuple[str, ...] = ()
    acr: str = ""


@dataclass(frozen=True, slots=True)
class _Keys:
    """What an issuer's file held when it was last written."""

    written: tuple[int, int, int]
    by_id: Mapping[str, jwt.PyJWK]


class Authenticator:
    """Verifies tokens. Verified ones are remembered for a minute; keys are read again when their file has changed."""

    def __init__(self, issuers: tuple[Issuer, ...], clock: Clock) -> None:
        """Believe these issuers and nobody else."""
        self._issuers = {one.issuer: one for one in issuers}
        self._clock = clock
        self._keys: dict[str, _Keys] = {}
        self._verified: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()

    def identify(self, authorization: str) -> Identity:
        """Return who the `Authorization` header vouches for. Raises UNAUTHENTICATED, never saying why in detail."""
        if len(authorization) > _LARGEST_TOKEN or authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise _refused()
        token = authorization[len(_SCHEME) :].strip()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = self._clock.now().timestamp()
        known = self._verified.get(digest)
        if known is not None and now < known[1]:
            return known[0]
        identity, until = self._verify(token, now)
        self._verified[digest] = (identity, until)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return identity

    def _verify(self, token: str, now: float) -> tuple[Identity, float]:
        try:
            header = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
            issuer = self._issuers[str(claimed.get("iss"))]
            key = self._key(issuer, str(header.get("kid", "")))
            if header.get("alg") not in _ALGORITHMS or header.get("alg") != key.algorithm_name:
                raise _refused()
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=issuer.audience,
                issuer=issuer.issuer,
                options=_OPTIONS,
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError, OSError):
            raise _refused() from None
        return _identity(claims), min(_end(claims, now), now + _LOOKED_AT_EVERY_SECONDS)

    def _key(self, issuer: Issuer, kid: str) -> jwt.PyJWK:
        status = issuer.jwks.stat()
        written = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._keys.get(issuer.issuer)
        if known is None or known.written != written:
            known = self._keys[issuer.issuer] = _Keys(written, _read_keys(issuer.jwks))
        return known.by_id[kid]


def _read_keys(path: Path) -> dict[str, jwt.PyJWK]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise TypeError("a key file holds a JSON object")
    return {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(data).keys}


def _end(claims: Mapping[str, Any], now: float) -> float:
    """Return when the token expires. Raises UNAUTHENTICATED unless it is good now."""
    expires, issued, begins = (_seconds(claims.get(name, 0)) for name in ("exp", "iat", "nbf"))
    if expires <= now or issued > now + _SKEW_SECONDS or begins > now + _SKEW_SECONDS:
        raise _refused()
    return expires


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refused()
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused()
    return value


def _identity(claims: Mapping[str, Any]) -> Identity:
    if not claims["sub"]:
        raise _refused()
    return Identity(
        account_id=str(claims["sub"]),
        roles=_words(claims, "roles"),
        agency_id=str(claims.get("agency", "")),
        participant_id=str(claims.get("participant", "")),
        purposes=_words(claims, "purposes"),
        site_ids=_words(claims, "sites"),
        acr=str(claims.get("acr", "")),
    )


def _words(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    if not isinstance(value, list):
        raise _refused()
    return tuple(str(one) for one in value)


def _refused() -> LeadError:
    return unauthenticated("A valid bearer token is needed.")
