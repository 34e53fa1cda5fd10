"""What other areas tell: kept per evaluator, under an approval, newest version only, and destroyed when unnamed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select, text

from services.outcomes.app import purge
from services.outcomes.consumers import NoApprovalError
from services.outcomes.models import INTAKES, JUSTICE_EVENTS, LINKS, REFERRALS
from tests.integration.outcomes.bureau import (
    APPROVAL,
    EVALUATOR,
    OTHER_EVALUATOR,
    START,
    Bureau,
    a_link,
    a_referral,
    an_event,
    an_intake,
    delivered,
)


def _rows(bureau: Bureau, table: Table) -> list[dict[str, Any]]:
    with bureau.db.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_a_row_names_the_evaluator_and_the_approval_that_opened_it(bureau: Bureau) -> None:
    bureau.tell(a_referral("1", START))
    (row,) = _rows(bureau, REFERRALS)
    assert (row["agency_id"], row["approval_id"], row["referral_id"]) == (EVALUATOR, APPROVAL, "ref_1")


def test_what_is_opened_for_two_evaluators_is_kept_for_each(bureau: Bureau) -> None:
    message = a_referral("1", START).message
    bureau.tell(delivered(message, "ref_1", "sub_1", agencies=(EVALUATOR, OTHER_EVALUATOR)))
    assert {row["agency_id"] for row in _rows(bureau, REFERRALS)} == {EVALUATOR, OTHER_EVALUATOR}


def test_what_no_approval_opened_is_not_kept(bureau: Bureau) -> None:
    message = a_referral("1", START).message
    with pytest.raises(NoApprovalError):
        bureau.tell(delivered(message, "ref_1", "sub_1", approval=""))
    assert _rows(bureau, REFERRALS) == []


def test_an_older_version_never_overwrites_a_newer_one(bureau: Bureau) -> None:
    bureau.tell(a_referral("1", START, version=2, incident_key="new"), a_referral("1", START, incident_key="old"))
    assert [row["incident_key"] for row in _rows(bureau, REFERRALS)] == ["new"]


def test_a_correction_takes_the_place_of_what_it_corrects(bureau: Bureau) -> None:
    bureau.tell(an_event("a", START), an_event("a", START + timedelta(days=1), version=2))
    assert [row["event_at"] for row in _rows(bureau, JUSTICE_EVENTS)] == [START + timedelta(days=1)]


def test_of_an_intake_only_its_time_for_research_is_kept(bureau: Bureau) -> None:
    bureau.tell(an_intake("1", START))
    (row,) = _rows(bureau, INTAKES)
    assert row["intake_at"] == START
    assert set(row) == {
        "subject_id", "participant_id", "agency_id", "approval_id", "version", "received_at", "intake_at",
    }  # fmt: skip


def test_nobody_is_named_in_any_table(bureau: Bureau) -> None:
    bureau.tell(an_event("a", START), a_link("jev_a", "stu_a"), a_referral("1", START), a_link("ref_1", "stu_a"))
    with bureau.db.read() as connection:
        names = connection.execute(text("select name from sqlite_master where type = 'table'")).scalars().all()
        rows = [repr(row) for name in names for row in connection.execute(text(f'select * from "{name}"'))]  # noqa: S608
    assert not [row for row in rows if "Testa" in row]


@pytest.mark.parametrize(
    ("links", "left"),
    [
        ([], []),
        ([a_link("jev_a", "stu_a")], ["jev_a"]),
        ([a_link("jev_a", "stu_a", withdrawn=True)], []),
        ([a_link("jev_b", "stu_a")], []),
    ],
)
def test_what_no_link_names_is_destroyed_after_the_look_back(bureau: Bureau, links: list[Any], left: list[str]) -> None:
    bureau.tell(an_event("a", START), *links)
    bureau.clock.advance(timedelta(days=770).total_seconds())
    assert purge(bureau.parts, 770) == 0
    bureau.clock.advance(1)
    assert purge(bureau.parts, 770) == 1 - len(left)
    assert [row["event_id"] for row in _rows(bureau, JUSTICE_EVENTS)] == left


def test_a_link_that_is_withdrawn_is_kept_as_withdrawn(bureau: Bureau) -> None:
    bureau.tell(a_link("jev_a", "stu_a"), a_link("jev_a", "stu_a", version=2, withdrawn=True))
    assert [row["is_withdrawn"] for row in _rows(bureau, LINKS)] == [True]
