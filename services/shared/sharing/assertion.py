"""The caller assertion: who asks, in which role and for what, as the gateway found out and signs for at most 60 s.

A JWT signed with Ed25519. Areas believe nothing else about a caller; they use it for row scope (architecture
section 2).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.types import Options
from lead.options.v1 import words_pb2

from services.shared.clock import Clock
from services.shared.errors import LeadError, unauthenticated
from services.shared.ids import Ids

LIFE_SECONDS = 60
# Clocks of two machines differ a little; only `iat` is given this much.
_SKEW_SECONDS = 5
# gRPC bounds metadata at 8 KiB; a real token has about 600 bytes, more with many sites.
_LARGEST_TOKEN = 6 * 1024
_REMEMBERED = 1024
_ALGORITHM = "EdDSA"
# Says what the token is for, so that no other token of the same key can stand in for it (RFC 8725 section 3.11).
_TYPE = "lead-assertion+jwt"
_CLAIMS = ("sub", "agency", "kind", "role", "sites", "participant", "purpose", "acr", "aud", "exp", "iat", "jti")
# Times are ours to check, by the clock that was passed in; the library reads the machine's.
_OPTIONS: Options = {
    "require": list(_CLAIMS),
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


def _lower(prefix: str, names: list[str]) -> frozenset[str]:
    return frozenset(name.removeprefix(prefix).lower() for name in names[1:])


_ROLES = _lower("ROLE_", words_pb2.Role.keys())
_KINDS = _lower("AGENCY_KIND_", words_pb2.AgencyKind.keys())
_PURPOSES = frozenset(name.removeprefix("PURPOSE_") for name in words_pb2.Purpose.keys()[1:])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in one role of one agency, for one purpose.

    `agency_id` and `agency_kind` are empty for a participant, `participant_id` for everybody else. `agency_kind` and
    `role` are the contract's words (`police`, `police_officer`), `purpose` its upper-case one (`DIVERSION_COORD`).
    """

    account_id: str
    agency_id: str
    agency_kind: str
    role: str
    purpose: str
    site_ids: tuple[str, ...] = ()
    participant_id: str = ""
    acr: str = ""


class AssertionSigner:
    """The gateway's side."""

    def __init__(self, key: Ed25519PrivateKey, clock: Clock, ids: Ids) -> None:
        """Sign with this key."""
        self._key = key
        self._clock = clock
        self._ids = ids

    def sign(self, caller: Caller, audience: str) -> str:
        """Return a token for one area (`referral`, …), good for 60 seconds."""
        issued = int(self._clock.now().timestamp())
        claims = {
            "sub": caller.account_id,
            "agency": caller.agency_id,
            "kind": caller.agency_kind,
            "role": caller.role,
            "sites": list(caller.site_ids),
            "participant": caller.participant_id,
            "purpose": caller.purpose,
            "acr": caller.acr,
            "aud": audience,
            "iat": issued,
            "exp": issued + LIFE_SECONDS,
            "jti": self._ids.new("ast"),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"typ": _TYPE})


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    issued: int
    expires: int


class AssertionVerifier:
    """An area's side. One instance serves all threads."""

    def __init__(self, key: Ed25519PublicKey, audience: str, clock: Clock) -> None:
        """Believe this key, and only tokens made out to `audience`, the area's own word."""
        self._key = key
        self._audience = audience
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Verified] = OrderedDict()

    def verify(self, token: str) -> Caller:
        """Return the caller that the token proves. Raises LeadError UNAUTHENTICATED, with one text for every cause."""
        verified = self._recall(token)
        if verified is None:
            verified = self._open(token)
            self._remember(token, verified)
        now = self._clock.now().timestamp()
        if not verified.issued - _SKEW_SECONDS <= now < verified.expires:
            _refuse()
        return verified.caller

    def _open(self, token: str) -> _Verified:
        if len(token) > _LARGEST_TOKEN:
            _refuse()
        try:
            whole = jwt.decode_complete(
                token, self._key, algorithms=[_ALGORITHM], audience=self._audience, options=_OPTIONS
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            _refuse()
        if whole["header"].get("typ") != _TYPE:
            _refuse()
        return _read(whole["payload"])

    def _recall(self, token: str) -> _Verified | None:
        with self._lock:
            if token in self._known:
                self._known.move_to_end(token)
            return self._known.get(token)

    def _remember(self, token: str, verified: _Verified) -> None:
        with self._lock:
            self._known[token] = verified
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


def _read(claims: dict[str, object]) -> _Verified:
    issued, expires = _whole(claims["iat"]), _whole(claims["exp"])
    if not 0 < expires - issued <= LIFE_SECONDS:
        _refuse()
    caller = Caller(
        account_id=_text(claims["sub"]),
        agency_id=_text(claims["agency"]),
        agency_kind=_text(claims["kind"]),
        role=_text(claims["role"]),
        purpose=_text(claims["purpose"]),
        site_ids=_texts(claims["sites"]),
        participant_id=_text(claims["participant"]),
        acr=_text(claims["acr"]),
    )
    if not _is_whole(caller):
        _refuse()
    return _Verified(caller, issued, expires)


def _is_whole(caller: Caller) -> bool:
    if not caller.account_id or caller.role not in _ROLES or caller.purpose not in _PURPOSES:
        return False
    if caller.role == "participant":
        return bool(caller.participant_id) and not caller.agency_id and not caller.agency_kind
    return bool(caller.agency_id) and caller.agency_kind in _KINDS and not caller.participant_id


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse()


def _text(value: object) -> str:
    return value if isinstance(value, str) else _refuse()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(each) for each in value) if isinstance(value, list) else _refuse()


def _refuse() -> NoReturn:
    raise _refusal() from None


def _refusal() -> LeadError:
    return unauthenticated("The caller assertion is not valid.")
