from __future__ import annotations

import stat
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from services.command.configured import package
from services.command.install import database_url, install
from services.command.layout import AREAS, PROCESSES, SEALING_AREAS, Layout
from services.command.ports import Ports
from services.shared.config import load
from services.shared.db import make_engine

PORTS = Ports(18443, 18444, {area: 18500 + place for place, area in enumerate(AREAS)})


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path / "data with blanks")
    install(made, PORTS)
    return made


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _kept(layout: Layout) -> dict[Path, bytes]:
    folders = (layout.tls, layout.kek.parent, layout.issuer_key.parent)
    return {path: path.read_bytes() for folder in folders for path in folder.iterdir()}


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_can_read_its_configuration(layout: Layout, process: str) -> None:
    config = load(import_module(f"{package(process)}.config").Config, layout.config(process), environ={})
    assert config.database_url == database_url(layout.database(process))
    assert config.tls.cert.is_file()


def test_only_the_owner_reads_what_is_made(layout: Layout) -> None:
    for path in layout.data.rglob("*"):
        assert _mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert _mode(layout.data) == 0o700


def test_keys_have_32_bytes_of_their_own(layout: Layout) -> None:
    keys = [layout.kek, layout.cursor_key, *map(layout.area_key, SEALING_AREAS)]
    assert {len(path.read_bytes()) for path in keys} == {32}
    assert len({path.read_bytes() for path in keys}) == len(keys)


def test_installing_again_keeps_everything_and_writes_the_new_ports(layout: Layout) -> None:
    before = _kept(layout)
    install(layout, replace(PORTS, http=28443))
    assert _kept(layout) == before
    assert "http_port = 28443" in layout.config("gateway").read_text()


def test_without_the_seed_consent_starts_with_an_empty_registry(layout: Layout) -> None:
    assert "registry_seed" in layout.config("consent").read_text()
    install(layout, PORTS, seed=False)
    assert "registry_seed" not in layout.config("consent").read_text()


def test_tracing_gives_every_process_a_file_of_its_own(layout: Layout) -> None:
    install(layout, PORTS, trace="file", settings={"referral": {"screens_per_minute": 5}})
    for process in PROCESSES:
        assert f'trace = "file:{layout.spans(process)}"' in layout.config(process).read_text()
    assert "screens_per_minute = 5" in layout.config("referral").read_text()


@pytest.mark.parametrize("name", ["plain", "a b", "per%cent", "what?", "ha#sh", "Straße"])
def test_a_database_url_names_the_file_whatever_its_letters(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "x.db"
    assert make_engine(database_url(path)).url.database == str(path)
