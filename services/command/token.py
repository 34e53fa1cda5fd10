"""`leadx token`: tokens of a development exchange's own issuer. In production agencies' issuers make them."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from services.command.install import AUDIENCE, ISSUER, key_id
from services.command.layout import DEFAULT_DATA, Layout

PARTICIPANT = "participant"
DEFAULT_SECONDS = 3600


class NoToken(Exception):  # noqa: N818 - it is a state to mend, reported as it reads
    """No such token can be made here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is to say; `ttl` in seconds. `account` defaults to the first registered one of role and agency."""

    role: str
    agency: str = ""
    account: str = ""
    participant: str = ""
    purposes: Sequence[str] = ()
    sites: Sequence[str] = ()
    ttl: int = DEFAULT_SECONDS


@click.command()
@click.option("--role", required=True, help="Role that the token carries, such as police_officer.")
@click.option("--agency", default="", help="Agency whose account to take, when several have the role.")
@click.option("--account", default="", help="Account to take, instead of the first registered one of that role.")
@click.option("--participant", default="", help="Participant that the token is of (par_...), with role participant.")
@click.option("--purpose", "purposes", multiple=True, help="Limit the token to this purpose; may be repeated.")
@click.option("--site", "sites", multiple=True, help="Limit the token to this site; may be repeated.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_DATA, show_default=True)
@click.option("--ttl", type=click.IntRange(1), default=DEFAULT_SECONDS, show_default=True, help="Seconds it is valid.")
def token(data: Path, **wishes: Any) -> None:
    """Print a token of the development issuer, and nothing else.

    \b
    Examples:
      leadx token --role prosecutor --agency sample-city-attorney
      leadx token --role participant --participant par_...
      curl --cacert .leadx/tls/ca.crt -H "Authorization: Bearer $(leadx token --role auditor)" \\
        https://localhost:8080/v1/me
    """
    try:
        click.echo(mint(data, Wanted(**wishes)))
    except NoToken as error:
        raise click.UsageError(str(error)) from None


def mint(data: Path, wanted: Wanted, now: float | None = None) -> str:
    """Return a signed token, as gateway/authenticate.py reads it, issued now or at a Unix time. Raises NoToken."""
    import jwt

    from services.shared.identity import load_signing_key

    layout = Layout.at(data)
    if not layout.issuer_key.is_file():
        raise NoToken(f"{data} holds no development issuer: start `leadx up --data {data}` once, or name its folder.")
    _check_words(wanted)
    subject, agency = _subject(layout, wanted)
    issued = int(time.time() if now is None else now)
    claims: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": issued, "exp": issued + wanted.ttl}
    claims |= {"roles": [wanted.role], "agency": agency, "participant": wanted.participant, "acr": "development"}
    claims |= {"purposes": list(wanted.purposes), "sites": list(wanted.sites)}
    key = load_signing_key(layout.issuer_key)
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id(key.public_key().public_bytes_raw())})


def _subject(layout: Layout, wanted: Wanted) -> tuple[str, str]:
    """Return whom the token is of, and of which agency."""
    if wanted.role == PARTICIPANT:
        return wanted.participant, ""
    if wanted.account:
        return wanted.account, wanted.agency
    return _registered(layout, wanted.role, wanted.agency)


def _check_words(wanted: Wanted) -> None:
    from lead.options.v1 import words_pb2

    roles = [name.removeprefix("ROLE_").lower() for name, number in words_pb2.Role.items() if number]
    known = [name.removeprefix("PURPOSE_") for name, number in words_pb2.Purpose.items() if number]
    if wanted.role not in roles:
        raise NoToken(f"There is no such role. Roles: {', '.join(roles)}.")
    if bool(wanted.participant) != (wanted.role == PARTICIPANT):
        raise NoToken("A participant's token needs --role participant and --participant par_..., and no other does.")
    if set(wanted.purposes) - set(known):
        raise NoToken(f"There is no such purpose. Purposes: {', '.join(known)}.")


def _registered(layout: Layout, role: str, agency: str) -> tuple[str, str]:
    """Return the first registered account of that role, and its agency."""
    from services.consent import seed

    path = _seed_file(layout)
    if path is None:
        raise NoToken("This exchange has no sample registry: name an account with --account.")
    for account in seed.read(path).accounts.values():
        if role in account.roles and agency in ("", account.agency_id):
            return account.account_id, account.agency_id
    of = f" of {agency}" if agency else ""
    raise NoToken(f"No account{of} has the role {role} in the sample registry: name one with --account.")


def _seed_file(layout: Layout) -> Path | None:
    try:
        named = tomllib.loads(layout.config("consent").read_text("utf-8")).get("registry_seed")
    except (OSError, tomllib.TOMLDecodeError):
        return None
    return Path(named) if named else None
