"""The wiring: a whole area is built without anybody to talk to, and serves nothing before its start."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from services.outcomes.app import build
from services.outcomes.config import Config
from services.shared.db import make_engine, migrations
from services.shared.db.revisions import SchemaNotCurrent
from services.shared.identity import DevelopmentCa, create_signing_key
from services.shared.places import site_packs


def a_config(folder: Path) -> Config:
    """Return a configuration in order, of an area that nobody else runs beside."""
    key = folder / "assertion.pem"
    create_signing_key(key)
    (folder / "area.key").write_bytes(b"k" * 32)
    return Config(
        address="127.0.0.1:0",
        database_url=f"sqlite:///{folder / 'outcomes.db'}",
        tls=DevelopmentCa.create(folder / "ca").files("outcomes"),
        assertion_key=key.with_suffix(".pub"),
        consent_address="127.0.0.1:1",
        log_folder=folder / "log",
        area_key=folder / "area.key",
        sites_folder=site_packs(),
    )


def test_a_migrated_area_is_built_and_binds_its_port(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    migrations.upgrade("outcomes", make_engine(config.database_url))
    assert build(config).port > 0


def test_an_area_that_is_not_migrated_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(SchemaNotCurrent):
        build(a_config(tmp_path))


def test_an_area_without_its_key_refuses_to_start(tmp_path: Path) -> None:
    config = replace(a_config(tmp_path), area_key=None)
    migrations.upgrade("outcomes", make_engine(config.database_url))
    with pytest.raises(ValueError, match="area_key"):
        build(config)


def test_a_look_back_of_no_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="look_back_days"):
        replace(a_config(tmp_path), look_back_days=0)


@pytest.mark.slow
def test_a_process_that_has_made_no_report_has_loaded_nothing_heavy() -> None:
    heavy = ("polars", "pandas", "lifelines", "statsmodels", "numpy", "matplotlib")
    code = f"import sys, services.outcomes.app; print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
