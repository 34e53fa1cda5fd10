"""The file of agencies, accounts and agreements that an exchange begins with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.consent import seed
from services.shared.places import site_packs
from services.shared.sharing.purposes import matrix_role

WHOLE = """
[[agencies]]
slug = "police"
name = "Sample Police"
kind = "police"
part2_program = "no"
hipaa = "none"
oris = ["WASAMPLE1"]
sites = ["north"]

[[accounts]]
id = "acc_1"
agency = "police"
roles = ["police_officer"]
owner = "Testa Sample"
expires = 2030-01-01T00:00:00Z

[[agreements]]
id = "agr-1"
type = "PARTICIPATION"
agencies = ["police"]
from = 2024-01-01T00:00:00Z
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agencies.toml"
    path.write_text(WHOLE, encoding="utf-8")
    return path


def test_a_registry_is_read_as_it_is_written(file: Path) -> None:
    registry = seed.read(file)
    police = registry.agencies["police"]
    assert (police.kind, police.part2, police.hipaa, police.oris) == ("police", "NO", "NONE", ("WASAMPLE1",))
    account = registry.accounts["acc_1"]
    assert (account.agency_id, account.roles, account.disabled) == ("police", ("police_officer",), False)
    assert account.expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    [agreement] = registry.agreements
    assert (agreement.type, set(agreement.agency_ids), agreement.until_at) == ("PARTICIPATION", {"police"}, None)
    assert agreement.from_at == datetime(2024, 1, 1, tzinfo=UTC)


def test_an_empty_file_is_an_exchange_without_anybody(tmp_path: Path) -> None:
    path = tmp_path / "agencies.toml"
    path.write_text("", encoding="utf-8")
    registry = seed.read(path)
    assert (dict(registry.agencies), dict(registry.accounts), registry.agreements) == ({}, {}, ())


@pytest.mark.parametrize(
    ("written", "instead", "names"),
    [
        ('kind = "police"\n', "", "kind"),
        ('owner = "Testa Sample"\n', "", "owner"),
        ('type = "PARTICIPATION"\n', "", "type"),
        ('kind = "police"', 'kind = "polise"', "kind"),
        ('part2_program = "no"', 'part2_program = "maybe"', "part2_program"),
        ('hipaa = "none"', 'hipaa = "some"', "hipaa"),
        ('roles = ["police_officer"]', 'roles = ["officer"]', "roles"),
        ('roles = ["police_officer"]', 'roles = ["prosecutor"]', "roles"),
        ('agency = "police"', 'agency = "nobody"', "agency"),
        ("from = 2024-01-01T00:00:00Z", "from = 2024-01-01T00:00:00", "from"),
        ("from = 2024-01-01T00:00:00Z", "from = 2024-01-01", "from"),
        ("expires = 2030-01-01T00:00:00Z", 'expires = "never"', "expires"),
        ('id = "agr-1"', 'id = "agr-1"\nuntil = 2030-01-01T00:00:00', "until"),
    ],
)
def test_what_is_missing_or_wrong_is_named(file: Path, written: str, instead: str, names: str) -> None:
    assert written in WHOLE
    file.write_text(WHOLE.replace(written, instead), encoding="utf-8")
    with pytest.raises((KeyError, ValueError), match=names):
        seed.read(file)


def test_the_registry_of_the_package_is_sound() -> None:
    registry = seed.read(site_packs() / "agencies.toml")
    assert {kind for agency in registry.agencies.values() for kind in [agency.kind]} >= {"police", "case_management"}
    for account in registry.accounts.values():
        for role in account.roles:
            assert matrix_role(role, registry.agencies[account.agency_id].kind)
    for agreement in registry.agreements:
        assert agreement.agency_ids <= registry.agencies.keys()
