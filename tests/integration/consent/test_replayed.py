"""Real decisions, derived again from what was written down of them; and another matrix asked about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from services.command import toml
from services.command.main import main
from services.consent import history, roll
from services.consent.models import CONSENTS, DECISIONS, POLICIES
from services.consent.policy.compile import Policy
from services.consent.replay import Replay
from services.shared.db import Database
from services.shared.db.migrations import upgrade
from services.shared.sharing.need import BITS
from tests.integration.consent.desk import CASE_MANAGER, Office, a_config, a_question, a_release, a_statement
from tests.integration.consent.test_custodian import asked, sealed
from tests.integration.referral.test_changes_migration import begun, put
from tests.unit.consent.builders import OTHER_SUBJECT, PARTICIPANT, REFERRAL, SUBJECT, an_approval
from tests.unit.consent.policy_asking import the_policy

BEFORE = "recorded before revision 0002, without all of its inputs"


@pytest.fixture
def decided(office: Office, tmp_path: Path) -> Office:
    """Decisions of every rule, and denials, written down; and the configuration that the command reads."""
    with office.desk.db.write() as connection:
        history.keep_policy(connection, the_policy())
    office.agree(an_approval())
    office.log.start()
    taken = office.create(CASE_MANAGER, a_release(recipient_agency_ids=("prosecutor", "recovery")))
    office.state(a_statement("ROUTED", "prosecutor"), a_statement("SITE", site_id="north"))
    for role, agency, purpose, source in (
        ("prosecutor", "prosecutor", "DIVERSION_COORD", "police"),
        ("prosecutor", "prosecutor", "DIVERSION_COORD", "outreach"),
        ("prosecutor", "other-prosecutor", "DIVERSION_COORD", "police"),
        ("program_manager", "office", "DIVERSION_COORD", "police"),
        ("case_manager", "outreach", "CAREMGT", "outreach"),
        ("case_manager", "outsider", "CAREMGT", "police"),
        ("evaluator", "evaluator", "HRESCH", "jail"),
        ("participant", "", "PATRQT", "police"),
        ("auditor", "auditor", "AUDIT_EVAL", "nobody"),
    ):
        office.decide(a_question(role, agency, purpose, source))
    asked(office, "review", sealed(office, "referral", "police", "CHARGE", record=REFERRAL))
    asked(office, "casework", sealed(office, "referral", "jail", "IDENTITY", subject=OTHER_SUBJECT))
    asked(office, "gateway", sealed(office, "referral", "police", "CHARGE"))
    office.clock.advance(60)
    office.revoke(CASE_MANAGER, taken.id, recipients=["prosecutor"], categories=["PROGRAM_STATUS"])
    office.decide(a_question("prosecutor", "prosecutor", "DIVERSION_COORD", "outreach"))
    office.log.stop()
    config = a_config(tmp_path)
    values = {
        "address": config.address,
        "database_url": config.database_url,
        "tls": {"ca": config.tls.ca, "cert": config.tls.cert, "key": config.tls.key},
        "assertion_key": config.assertion_key,
        "kek": config.kek,
        "audit_address": config.audit_address,
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "consent.toml").write_text(toml.dumps(values), encoding="utf-8")
    return office


def replays(office: Office, policies: dict[str, Policy] | None = None) -> list[Replay]:
    with office.desk.db.read() as connection:
        return list(history.replays(connection, history.decisions(connection), policies or {}))


def outcomes(office: Office) -> dict[str, int]:
    found = [one.outcome for one in replays(office)]
    return {word: found.count(word) for word in ("EQUAL", "UNEQUAL", "NOT_REPLAYABLE")}


def row_of(office: Office, source: str, role: str = "prosecutor", agency: str = "") -> Any:
    """The oldest stored decision about a source's record by somebody of this role."""
    with office.desk.db.read() as connection:
        rows = connection.execute(select(DECISIONS).order_by(DECISIONS.c.at, DECISIONS.c.decision_id)).all()
    return next(
        row
        for row in rows
        if (row.record["source"], row.asker["role"]) == (source, role) and agency in ("", row.asker["agency"])
    )


def tamper(office: Office, decision_id: str, **values: Any) -> Replay:
    with office.desk.db.write() as connection:
        connection.execute(update(DECISIONS).where(DECISIONS.c.decision_id == decision_id).values(**values))
    [found] = [one for one in replays(office) if one.past.decision_id == decision_id]
    return found


def run(tmp_path: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["policy", *words, "--data", str(tmp_path)])
    return done.exit_code, done.output


# replay


def test_every_decision_comes_out_equal_by_the_same_rows(decided: Office) -> None:
    assert outcomes(decided) == {"EQUAL": 12, "UNEQUAL": 0, "NOT_REPLAYABLE": 1}
    rows = {ground.row for one in replays(decided) for ground in one.grounds}
    assert rows >= {1, 3, 4, 15, 33, 36, 39, 41}
    assert {one.why for one in replays(decided) if one.outcome == "NOT_REPLAYABLE"} == {
        ("no decision: routing keys for live delivery",)
    }


def test_a_decision_is_derived_from_the_release_as_it_was_then(decided: Office) -> None:
    """It was taken back in part later; what was decided before rests on its first version."""
    cited = {ground.consent_version for one in replays(decided) for ground in one.grounds if ground.consent_id}
    assert cited == {1, 2}


def test_a_stored_answer_that_was_changed_is_found(decided: Office) -> None:
    row = row_of(decided, "police")
    found = tamper(decided, row.decision_id, visible=row.visible | BITS["SUD_TREATMENT"])
    assert found.outcome == "UNEQUAL"
    [why] = found.why
    assert "SUD_TREATMENT" in why


@pytest.mark.parametrize("column", ["facts", "asker", "rulings", "inputs", "consents"])
def test_a_stored_input_that_was_changed_is_found(decided: Office, column: str) -> None:
    row = row_of(decided, "outreach" if column in ("inputs", "consents") else "police")
    changed: dict[str, Any] = {
        "facts": [],
        "asker": {**row.asker, "role": "police"},
        "rulings": [{**one, "row": 5} for one in row.rulings],
        "inputs": {**row.inputs, "granted": []},
        "consents": [],
    }
    assert tamper(decided, row.decision_id, **{column: changed[column]}).outcome == "UNEQUAL"


def test_inputs_and_answer_that_were_changed_together_are_found_by_the_release(decided: Office) -> None:
    """Whoever changes both consistently would need to change what the person signed as well."""
    row = row_of(decided, "outreach")
    more = BITS["HOUSING"] | row.inputs["granted"][0][2] & ~BITS["PROGRAM_STATUS"]
    narrowed = row.visible & ~BITS["PROGRAM_STATUS"]
    rulings = [one for one in row.rulings if not one["categories"] & BITS["PROGRAM_STATUS"]]
    inputs = {**row.inputs, "granted": [[*row.inputs["granted"][0][:2], more]]}
    found = tamper(decided, row.decision_id, inputs=inputs, visible=narrowed, rulings=rulings)
    assert found.outcome == "UNEQUAL"
    [why] = found.why
    assert "does not give what was noted of it" in why


def test_a_release_that_was_destroyed_is_believed(decided: Office) -> None:
    with decided.desk.db.write() as connection:
        connection.execute(delete(CONSENTS))
    assert outcomes(decided)["UNEQUAL"] == 0


def test_a_policy_whose_text_was_changed_replays_nothing(decided: Office) -> None:
    with decided.desk.db.write() as connection:
        connection.execute(update(POLICIES).values(text=the_policy().text.replace("context.routed", "true")))
    assert outcomes(decided) == {"EQUAL": 0, "UNEQUAL": 0, "NOT_REPLAYABLE": 13}
    # The one of this release is known anyway.
    known = {the_policy().version: the_policy()}
    assert {one.outcome for one in replays(decided, known)} == {"EQUAL", "NOT_REPLAYABLE"}


def test_an_old_version_of_the_policy_is_replayed_as_it_was(decided: Office) -> None:
    older = Policy(the_policy().text.replace("context.routed", "context.dispatched"), the_policy().schema_text)
    row = row_of(decided, "police")
    assert tamper(decided, row.decision_id, policy_version=older.version).outcome == "NOT_REPLAYABLE"
    with decided.desk.db.write() as connection:
        history.keep_policy(connection, older)
        history.keep_policy(connection, older)
    assert tamper(decided, row.decision_id, policy_version=older.version).outcome == "UNEQUAL"


def test_what_was_recorded_without_its_inputs_cannot_be_replayed(decided: Office) -> None:
    row = row_of(decided, "police")
    found = tamper(decided, row.decision_id, inputs=None, rulings=None)
    assert (found.outcome, found.why) == ("NOT_REPLAYABLE", (BEFORE,))
    assert tamper(decided, row.decision_id, inputs={"granted": "x"}).outcome == "NOT_REPLAYABLE"


def test_the_command_tells_one_decision_with_its_rows(decided: Office, tmp_path: Path) -> None:
    row = row_of(decided, "police")
    code, told = run(tmp_path, "replay", "--decision", row.decision_id)
    assert code == 0
    assert "EQUAL" in told
    assert "row 4 (allow; state records law)" in told
    assert SUBJECT not in told
    assert PARTICIPANT not in told


def test_the_command_replays_a_request_and_all(decided: Office, tmp_path: Path) -> None:
    code, told = run(tmp_path, "replay", "--request", "req_sample", "--json")
    found = json.loads(told)
    assert (code, found["equal"], found["unequal"], found["notReplayable"]) == (0, 12, 0, 1)
    assert len(found["decisions"]) == 13
    code, told = run(tmp_path, "replay", "--all", "--limit", "2", "--json")
    found = json.loads(told)
    assert (code, found["equal"] + found["notReplayable"]) == (0, 2)
    code, told = run(tmp_path, "replay", "--all")
    assert (code, told) == (0, "12 equal, 0 unequal, 1 cannot be replayed.\n")


def test_the_command_fails_when_a_decision_is_unequal_and_shows_which(decided: Office, tmp_path: Path) -> None:
    row = row_of(decided, "police")
    tamper(decided, row.decision_id, visible=0)
    code, told = run(tmp_path, "replay", "--all")
    assert code == 1
    assert f"{row.decision_id}" in told
    assert "1 unequal" in told


def test_the_command_says_what_it_was_not_told(decided: Office, tmp_path: Path) -> None:
    assert run(tmp_path, "replay")[0] == 2
    assert run(tmp_path, "replay", "--all", "--decision", "dec_1")[0] == 2
    code, told = run(tmp_path, "replay", "--decision", "dec_1")
    assert (code, told) == (1, "Error: No such decision is stored.\n")
    code, told = run(tmp_path / "elsewhere", "replay", "--all")
    assert code == 1
    assert "--data" in told


# diff


def a_matrix(folder: Path, *changes: tuple[str, str]) -> Path:
    """Another matrix, in a folder of its own."""
    text_ = the_policy().text
    for written, instead in changes:
        assert written in text_
        text_ = text_.replace(written, instead)
    folder.mkdir()
    (folder / "matrix.cedar").write_text(text_, encoding="utf-8")
    (folder / "matrix.cedarschema").write_text(the_policy().schema_text, encoding="utf-8")
    return folder


ROUTED = """  context.source_kind == SourceKind::"police" &&
  context.routed
};"""


def test_the_same_matrix_changes_nothing(decided: Office, tmp_path: Path) -> None:
    code, told = run(tmp_path, "diff", "--against", str(a_matrix(tmp_path / "same")), "--json")
    assert (code, json.loads(told)) == (
        0,
        {"version": the_policy().version, "compared": 12, "notReplayable": 1, "cells": []},
    )


def test_a_matrix_that_narrows_is_counted_by_role_category_and_purpose(decided: Office, tmp_path: Path) -> None:
    narrower = a_matrix(
        tmp_path / "narrower", (ROUTED, ROUTED.replace("context.routed", "context.routed && context.safety"))
    )
    code, told = run(tmp_path, "diff", "--against", str(narrower), "--json")
    cells = {(one["role"], one["category"], one["purpose"]): one for one in json.loads(told)["cells"]}
    assert code == 0
    # Asked by the gateway and by custody.
    assert cells["prosecutor", "CHARGE", "DIVERSION_COORD"]["narrower"] == 2
    assert {role for role, _, _ in cells} == {"prosecutor"}
    assert not any(one["wider"] for one in cells.values())


def test_a_matrix_that_widens_fails_the_command(decided: Office, tmp_path: Path) -> None:
    wider = a_matrix(tmp_path / "wider", (ROUTED, ROUTED.replace(" &&\n  context.routed", "")))
    code, told = run(tmp_path, "diff", "--against", str(wider / "matrix.cedar"), "--json")
    cells = {(one["role"], one["category"], one["purpose"]): one for one in json.loads(told)["cells"]}
    assert code == 1
    # The office that nothing was routed to.
    assert cells["prosecutor", "CHARGE", "DIVERSION_COORD"] == {
        "role": "prosecutor",
        "category": "CHARGE",
        "purpose": "DIVERSION_COORD",
        "wider": 1,
        "narrower": 0,
    }
    code, told = run(tmp_path, "diff", "--against", str(wider))
    assert code == 1
    assert "12 decisions compared, 1 could not be." in told
    assert "6 widen, 0 narrow under version" in told


def test_a_file_alone_is_read_under_the_schema_of_this_release(decided: Office, tmp_path: Path) -> None:
    folder = a_matrix(tmp_path / "alone")
    (folder / "matrix.cedarschema").unlink()
    code, told = run(tmp_path, "diff", "--against", str(folder / "matrix.cedar"))
    assert code == 0
    assert "0 widen, 0 narrow" in told


def test_a_matrix_that_is_none_is_told_with_cedars_words(decided: Office, tmp_path: Path) -> None:
    broken = a_matrix(tmp_path / "broken", ('Role::"linker", action', 'Role::"sheriff", action'))
    code, told = run(tmp_path, "diff", "--against", str(broken))
    assert code == 1
    assert "sheriff" in told
    (broken / "matrix.cedar").write_text("permit", encoding="utf-8")
    assert run(tmp_path, "diff", "--against", str(broken))[0] == 1


# the revision before


def test_what_the_release_before_wrote_is_kept_and_said_to_lack_its_inputs(tmp_path: Path) -> None:
    engine = begun("consent", tmp_path)
    then = "2026-02-01 10:00:00.000000"
    row = {"decision_id": "dec_1", "at": then, "policy_version": "0", "request_id": "req_1", "visible": 2}
    inputs = {"asker": '{"role": "police"}', "record": "{}", "facts": "[]", "consents": "[]"}
    put(engine, "decisions", **row, **inputs)
    put(engine, "agreements", agreement_id="agr-1", type="PARTICIPATION", agency_ids='["police"]', from_at=then)
    assert upgrade("consent", engine) == ["0002"]
    # It may still run, and leaves out what it does not know.
    put(engine, "decisions", **{**row, "decision_id": "dec_2"}, **inputs)
    put(engine, "agreements", agreement_id="agr-2", type="QSOA", agency_ids='["police"]', from_at=then)
    with Database(engine).read() as connection:
        found = list(history.replays(connection, history.decisions(connection), {}))
        assert [one.site_ids for one in roll.registry(connection).agreements] == [(), ()]
    assert {(one.outcome, one.why) for one in found} == {("NOT_REPLAYABLE", (BEFORE,))}
    assert len(found) == 2
    engine.dispose()
