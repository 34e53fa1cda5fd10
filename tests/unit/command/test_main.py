from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

from services.command.main import main


def test_the_index_lists_commands_that_are_installed() -> None:
    told = CliRunner().invoke(main, ["--help"]).output
    for name in ("up", "serve", "migrate", "token", "push", "policy", "events", "audit"):
        assert f"  {name} " in told


def test_every_command_that_is_listed_can_be_imported_and_explains_itself() -> None:
    for name in main.list_commands(main.make_context("leadx", [], resilient_parsing=True)):
        done = CliRunner().invoke(main, [name, "--help"])
        assert done.exit_code == 0, done.output
        assert done.output.startswith("Usage:")


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


def test_the_version_is_that_of_the_distribution() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("leadx ")


def test_nothing_heavy_is_imported_before_the_command_is_known() -> None:
    code = "import sys, services.command.main; print([n for n in ('grpc', 'sqlalchemy', 'rich') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
