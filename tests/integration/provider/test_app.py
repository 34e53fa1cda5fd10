"""The wiring: a whole area is built without anybody to talk to, and serves nothing before its start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.provider.app import build, purge
from services.provider.config import Config
from services.shared.db import make_engine, migrations
from services.shared.db.revisions import SchemaNotCurrent
from services.shared.identity import DevelopmentCa, create_signing_key
from services.shared.places import site_packs
from tests.integration.provider.house import House


def a_config(folder: Path) -> Config:
    """Return a configuration in order, of an area that nobody else runs beside."""
    key = folder / "assertion.pem"
    create_signing_key(key)
    (folder / "area.key").write_bytes(b"k" * 32)
    return Config(
        address="127.0.0.1:0",
        database_url=f"sqlite:///{folder / 'provider.db'}",
        tls=DevelopmentCa.create(folder / "ca").files("provider"),
        assertion_key=key.with_suffix(".pub"),
        consent_address="127.0.0.1:1",
        log_folder=folder / "log",
        area_key=folder / "area.key",
        sites_folder=site_packs(),
    )


def test_a_migrated_area_is_built_and_binds_its_port(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    migrations.upgrade("provider", make_engine(config.database_url))
    app = build(config)
    assert app.port > 0


def test_an_area_that_is_not_migrated_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(SchemaNotCurrent):
        build(a_config(tmp_path))


def test_an_area_without_a_key_of_its_own_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="area_key"):
        build(replace(a_config(tmp_path), area_key=None))


def test_idempotency_keys_are_forgotten_after_thirty_days(house: House) -> None:
    first = house.a_service(request_id="once")
    house.clock.advance(31 * 24 * 3600)
    purge(house.parts)
    assert house.a_service(request_id="once").id != first.id
