from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.command.install import install
from services.command.layout import AREAS, PROCESSES, Layout
from services.command.main import main
from services.command.ports import Ports


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    install(made, Ports(18443, 18444, {area: 18500 + place for place, area in enumerate(AREAS)}))
    return made


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_pending_migrations_are_exit_code_1_until_they_were_applied(layout: Layout) -> None:
    before = run("migrate", "all", "--check", "--json", "--data", layout.data)
    assert before.exit_code == 1
    assert all(json.loads(before.output)["pending"][process] for process in PROCESSES)
    assert run("migrate", "all", "--data", layout.data).exit_code == 0
    after = run("migrate", "all", "--check", "--data", layout.data)
    assert (after.exit_code, after.output.count("current")) == (0, len(PROCESSES))


def test_one_database_is_migrated_by_its_own_configuration(layout: Layout) -> None:
    done = run("migrate", "review", "--config", layout.config("review"))
    assert done.exit_code == 0
    assert "review: applied" in done.output
    assert not layout.database("referral").exists()


def test_one_configuration_is_not_for_all(layout: Layout) -> None:
    assert run("migrate", "all", "--config", layout.config("review")).exit_code == 2


def test_a_database_that_cannot_be_used_is_told_without_its_address(layout: Layout) -> None:
    text = layout.config("review").read_text().replace(str(layout.data), "/nowhere/canary")
    layout.config("review").write_text(text)
    done = run("migrate", "review", "--data", layout.data)
    assert done.exit_code == 2
    assert "cannot be used" in done.output
    assert "canary" not in done.output


def test_a_process_does_not_serve_before_its_database_is_current(layout: Layout) -> None:
    done = run("serve", "review", "--config", layout.config("review"))
    assert done.exit_code == 2
    assert "leadx migrate review" in done.output


def test_all_that_is_wrong_with_a_configuration_is_told_at_once(layout: Layout) -> None:
    layout.config("review").write_text('adress = "x"\ntrace = 5\n')
    done = run("serve", "review", "--config", layout.config("review"))
    assert done.exit_code == 2
    for word in ("adress", "did you mean address", "database_url", "trace", "assertion_key"):
        assert word in done.output


def test_a_key_file_that_is_missing_is_named(layout: Layout) -> None:
    assert run("migrate", "review", "--data", layout.data).exit_code == 0
    layout.area_key("review").unlink()
    done = run("serve", "review", "--config", layout.config("review"))
    assert done.exit_code == 2
    assert "review.key" in done.output
    assert "Traceback" not in done.output
