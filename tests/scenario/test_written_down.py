"""What was decided is written down so that it can be derived again, and another matrix be tried on it."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.command.demo import drafts, journey, services
from services.command.demo.client import Client
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from services.consent.policy.compile import Policy
from tests.scenario.attempts import Tried

pytestmark = pytest.mark.timeout(180)
_ROW = re.compile(r'(?m)^(?=@id\("row-\d\d"\))')
# It says that nothing was decided: who follows what, so that it can be decided then.
ROUTED = "no decision: routing keys for live delivery"
# Row 5, and what somebody might propose instead: that police also read the needs of whom they referred.
ROW_5 = """permit (principal == Role::"police", action == Action::"see", resource == Category::"DECISION")
when { context.purpose == Purpose::"DIVERSION_COORD" && context.own_incident };"""
PROPOSED = """permit (principal == Role::"police", action == Action::"see", resource)
when {
  [Category::"DECISION", Category::"NEEDS"].contains(resource) &&
  context.purpose == Purpose::"DIVERSION_COORD" && context.own_incident
};"""


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried) -> Iterator[None]:
    yield
    tried.logs_are_clean()


@pytest.fixture(scope="module")
def decided(story: Story, client: Callable[..., Client], alpha: Person, gamma: Person, delta: Person) -> None:
    """Decisions of every kind: own records, by rule and by release, withheld ones, lists, moves and what is absent."""
    for role, agency, path in (
        ("police_officer", drafts.POLICE, f"/v1/referrals/{alpha.referral_id}"),
        ("police_officer", "sample-sheriff", f"/v1/referrals/{alpha.referral_id}"),
        ("prosecutor", drafts.OFFICE, f"/v1/referrals/{alpha.referral_id}"),
        ("program_manager", "sample-office", f"/v1/referrals/{alpha.referral_id}"),
        ("case_manager", "sample-second-outreach", f"/v1/participants/{alpha.participant_id}"),
        ("case_manager", "sample-outreach", "/v1/enrollments"),
        ("provider_staff", "sample-housing", "/v1/serviceReferrals"),
        ("provider_staff", "sample-treatment", "/v1/serviceReferrals"),
        ("provider_staff", "sample-housing", f"/v1/enrollments/{gamma.services['enrolled sample-treatment']}"),
        ("provider_system", "sample-treatment", f"/v1/enrollments/{gamma.services['enrolled sample-treatment']}"),
        ("program_manager", "sample-office", "/v1/personMatches"),
        ("program_manager", "sample-office", "/v1/outcomes/funnel"),
    ):
        assert client(role, agency).get(path).status in {200, 404}
    me = client("participant", "", delta.participant_id)
    assert me.get(f"/v1/participants/{delta.participant_id}").status == 200
    row = services.asked(delta, "sample-housing", services.staff(story, "sample-housing"))
    assert row is not None
    journey.decide(story, alpha)


@pytest.fixture(scope="module")
def lately(exchange: Exchange, decided: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the newest decisions alone: another matrix is asked about every one that is there."""
    layout, folder = exchange.layout, tmp_path_factory.mktemp("lately")
    held = layout.database("consent")
    with closing(sqlite3.connect(held)) as source, closing(sqlite3.connect(folder / held.name)) as copy:
        source.backup(copy)
        newest = "SELECT decision_id FROM decisions ORDER BY at DESC LIMIT 1000"
        copy.execute(f"DELETE FROM decisions WHERE decision_id NOT IN ({newest})")  # noqa: S608 - no input in it
        copy.commit()
    config = layout.config("consent").read_text("utf-8")
    assert str(held) in config
    (folder / "config").mkdir()
    (folder / "config" / "consent.toml").write_text(config.replace(str(held), str(folder / held.name)), "utf-8")
    return folder


def leadx(data: Path, *words: str) -> tuple[int, Any]:
    """Run `leadx policy` on a folder as somebody does; returns the exit code and what it prints."""
    command = [sys.executable, "-m", "services.command.main", "policy", *words, "--data", str(data), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.usefixtures("decided")
def test_every_decision_is_derived_again_as_it_was(exchange: Exchange) -> None:
    code, told = leadx(exchange.layout.data, "replay", "--all", "--limit", "500")
    assert (code, told["unequal"]) == (0, 0)
    assert told["equal"] > 20
    assert {tuple(one["why"]) for one in told["decisions"]} <= {(ROUTED,)}
    assert told["notReplayable"] == len(told["decisions"])


def test_another_matrix_is_tried_on_what_was_decided(lately: Path, tmp_path: Path) -> None:
    def under(name: str, text: str) -> tuple[int, Any]:
        (tmp_path / f"{name}.cedar").write_text(text, encoding="utf-8")
        return leadx(lately, "diff", "--against", str(tmp_path / f"{name}.cedar"))

    shipped = Policy.load()
    # Without the row by which the office sees what it reviews, less is shown, and to nobody else.
    code, narrower = under("narrower", without(shipped.text, 4))
    assert (code, narrower["compared"] > 20) == (0, True)
    assert {one["role"] for one in narrower["cells"]} == {"prosecutor"}
    assert all(one["narrower"] and not one["wider"] for one in narrower["cells"])
    # A row that lets police read needs is held up by the one that denies it; without that one it widens.
    assert ROW_5 in shipped.text
    proposed = shipped.text.replace(ROW_5, PROPOSED)
    code, held = under("proposed", proposed)
    assert (code, held["cells"]) == (0, [])
    code, wider = under("wider", without(proposed, 18))
    assert code == 1
    assert {(one["role"], one["category"], one["purpose"]) for one in wider["cells"]} == {
        ("police", "NEEDS", "DIVERSION_COORD")
    }
    assert all(one["wider"] and not one["narrower"] for one in wider["cells"])


def without(text: str, row: int) -> str:
    """Return a matrix without one of its rows."""
    kept = [each for each in _ROW.split(text) if not each.startswith(f'@id("row-{row:02d}")')]
    assert len(kept) == len(_ROW.split(text)) - 1
    return "".join(kept)
