from __future__ import annotations

import json

from click.testing import CliRunner

from services.command.main import main


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["policy", *words])
    return done.exit_code, done.output


def test_the_matrix_of_this_release_holds() -> None:
    code, told = run("check", "--json")
    assert (code, json.loads(told)["problems"]) == (0, [])


def test_a_cell_is_told_with_rule_law_and_reason() -> None:
    code, told = run(
        "matrix", "--role", "prosecutor", "--category", "identity", "--purpose", "DIVERSION_COORD", "--json"
    )
    cells = json.loads(told)["cells"]
    assert code == 0
    assert cells
    assert {cell["role"] for cell in cells} == {"prosecutor"}
    assert all(cell["rule"] and cell["law"] and cell["reason"] and cell["rows"] for cell in cells)


def test_what_nothing_opens_is_left_out_unless_all_is_asked_for() -> None:
    about = ("matrix", "--role", "housing", "--purpose", "HRESCH", "--json")
    few, every = (json.loads(run(*words)[1])["cells"] for words in (about, (*about, "--all")))
    assert "deny" not in {cell["rule"] for cell in few}
    assert few == [cell for cell in every if cell["rule"] != "deny"]
    assert len(few) < len(every)


def test_the_table_for_people_names_the_law() -> None:
    code, told = run("matrix", "--role", "auditor")
    assert code == 0
    assert "law" in told
    assert "AUDIT_EVAL" in told


def test_an_unknown_word_is_a_usage_error_that_lists_the_known_ones() -> None:
    code, told = run("matrix", "--role", "mayor")
    assert code == 2
    assert "lead_cm" in told
