"""Makes a development exchange in a folder: authority, keys, issuer, configuration. Whatever is there already is kept.

Only the configuration is written anew each time, since ports change. Not for production: there, keys are held by those
whose they are, and tokens come from the agencies' own issuers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services.command import toml
from services.command.layout import AREAS, GATEWAY, PROCESSES, SEALING_AREAS, WITNESSES, Layout
from services.command.ports import HOST, Ports

ISSUER = "urn:leadx:development-issuer"
AUDIENCE = "leadx"
_KEY_BYTES = 32
Settings = Mapping[str, Mapping[str, Any]]


def install(
    layout: Layout, ports: Ports, *, seed: bool = True, trace: str = "none", settings: Settings | None = None
) -> None:
    """Make what is missing and write the configuration.

    `seed` puts the sample registry (deploy/sites/agencies.toml) into consent; `trace` is `none`, `file` for one file of
    spans per process, or `otlp:<endpoint>`; `settings` has more configuration by process. Raises OSError.
    """
    _folders(layout)
    make_keys(layout)
    _make_issuer(layout)
    for process in PROCESSES:
        values = _gateway(layout, ports) if process == GATEWAY else _area(layout, ports, process, seed=seed)
        values["trace"] = f"file:{layout.spans(process)}" if trace == "file" else trace
        values |= (settings or {}).get(process, {})
        write_private(layout.config(process), toml.dumps(values).encode())


def make_keys(layout: Layout) -> None:
    """Make the authority, certificates and keys that are not there yet."""
    from services.consent.kek import KeyFile
    from services.shared.identity import DevelopmentCa, create_signing_key

    authority = DevelopmentCa.create(layout.tls)
    for process in PROCESSES:
        authority.files(process)
    if not (layout.tls / "public.crt").exists():
        authority.issue_public()
    create_signing_key(layout.assertion_key)
    create_signing_key(layout.ledger_key)
    for path in (layout.cursor_key, *map(layout.area_key, SEALING_AREAS)):
        if not path.exists():
            write_private(path, os.urandom(_KEY_BYTES))
    if not layout.kek.exists():
        KeyFile.create(layout.kek)


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)


def database_url(path: Path) -> str:
    """Return the URL of an SQLite file, whatever letters its path has."""
    return f"sqlite:///{quote(str(path))}"


def key_id(public: bytes) -> str:
    """Return the `kid` of the development issuer's public key, 32 raw bytes."""
    return hashlib.sha256(public).hexdigest()[:16]


def _folders(layout: Layout) -> None:
    folders = [layout.data, layout.event_log, layout.run, layout.log("x").parent, layout.spans("x").parent]
    witnesses = [layout.witness(agency) for agency in WITNESSES]
    for folder in (*folders, witnesses[0].parent, *witnesses):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.data.chmod(0o700)


def _make_issuer(layout: Layout) -> None:
    from services.shared.identity import create_signing_key

    public = create_signing_key(layout.issuer_key).public_key().public_bytes_raw()
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id(public), "x": x}
    write_private(layout.jwks, json.dumps({"keys": [key]}, indent=1).encode())


def _area(layout: Layout, ports: Ports, area: str, *, seed: bool) -> dict[str, Any]:
    from services.shared.places import site_packs

    values: dict[str, Any] = {
        "address": ports.address(area),
        "database_url": database_url(layout.database(area)),
        "assertion_key": layout.assertion_key.with_suffix(".pub"),
        "consent_address": "" if area == "consent" else ports.address("consent"),
        "log_folder": layout.event_log,
        "sites_folder": site_packs(),
        "tls": _tls(layout, area),
    }
    if area in SEALING_AREAS:
        values["area_key"] = layout.area_key(area)
    if area == "consent":
        values |= {"kek": layout.kek, "audit_address": ports.address("audit")}
        values |= {"registry_seed": site_packs() / "agencies.toml"} if seed else {}
    if area == "audit":
        values |= {"ledger_key": layout.ledger_key, "witnesses": list(map(layout.witness, WITNESSES))}
    return values


def _gateway(layout: Layout, ports: Ports) -> dict[str, Any]:
    return {
        "host": HOST,
        "http_port": ports.http,
        "grpc_port": ports.grpc,
        "public_cert": layout.tls / "public.crt",
        "public_key": layout.tls / "public.key",
        "assertion_key": layout.assertion_key,
        "cursor_key": layout.cursor_key,
        "database_url": database_url(layout.database(GATEWAY)),
        "tls": _tls(layout, GATEWAY),
        "log_folder": layout.event_log,
        "areas": {area: ports.address(area) for area in AREAS},
        "issuers": [{"issuer": ISSUER, "audience": AUDIENCE, "jwks": layout.jwks}],
    }


def _tls(layout: Layout, process: str) -> dict[str, Path]:
    return {"ca": layout.ca, "cert": layout.tls / f"{process}.crt", "key": layout.tls / f"{process}.key"}
