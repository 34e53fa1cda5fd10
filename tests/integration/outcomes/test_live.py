"""Counting live: who may, under which approval, as of when, and what a correction or an unlinked record does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from lead.outcomes.v1 import outcomes_pb2 as pb
from lead.outcomes.v1 import outcomes_service_pb2 as service
from lead.referral.v1 import referral_pb2

from services.shared.errors import Code, LeadError
from tests.integration.outcomes.bureau import (
    APPROVAL,
    EVALUATOR,
    MANAGER,
    OFFICER,
    OTHER_EVALUATOR,
    OTHER_RESEARCHER,
    POLICE,
    RESEARCHER,
    SITE,
    Bureau,
    a_link,
    a_referral,
    an_event,
    delivered,
)
from tests.integration.outcomes.cohorts import T0, feeds, ten_people

pytestmark = pytest.mark.slow

_FEW = 2
_WITHDRAWN = referral_pb2.REFERRAL_STATE_WITHDRAWN


def _events(report: pb.Report, arm: str = "LEAD") -> list[float | None]:
    """Return what the main table says of an arm: with event, event-free."""
    for table in report.tables:
        if table.id == "events":
            for row in table.rows:
                if row.cells[1].text == arm:
                    return [cell.number if cell.HasField("number") else None for cell in row.cells[3:5]]
    return []


def _refused(bureau: Bureau, **asked: Any) -> tuple[Code, str, str]:
    with pytest.raises(LeadError) as refused:
        bureau.rearrest(**asked)
    return refused.value.code, refused.value.reason, refused.value.text


@pytest.mark.parametrize("caller", [RESEARCHER, MANAGER])
def test_evaluator_and_programme_office_count_live(bureau: Bureau, caller: Any) -> None:
    bureau.tell(*feeds(), *ten_people())
    report = bureau.rearrest(caller, definition="ARR_ALL")
    assert _events(report) == [60, 90]
    assert not report.HasField("snapshot_id")


def test_without_an_approval_nothing_is_counted_and_everybody_hears_the_same(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(_FEW))
    bureau.approved = {}
    told = {_refused(bureau, caller=caller) for caller in (RESEARCHER, MANAGER, OTHER_RESEARCHER)}
    ((code, reason, _),) = told
    assert (code, reason) == (Code.FAILED_PRECONDITION, "NO_APPROVAL")


def test_an_evaluator_counts_only_what_was_opened_for_his_own_agency(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    bureau.approved = {EVALUATOR: APPROVAL, OTHER_EVALUATOR: "sample-second-approval"}
    assert _events(bureau.rearrest(OTHER_RESEARCHER, definition="ARR_ALL")) == []
    assert _events(bureau.rearrest(RESEARCHER, definition="ARR_ALL")) == [60, 90]


def test_an_evaluator_without_an_approval_does_not_count_on_anothers(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(_FEW))
    assert _refused(bureau, caller=OTHER_RESEARCHER)[1] == "NO_APPROVAL"


def test_others_do_not_count_live(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(_FEW))
    assert _refused(bureau, caller=OFFICER)[0] is Code.NOT_FOUND


def test_as_of_bounds_what_had_happened(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    before_any = T0 - timedelta(days=1)
    assert _events(bureau.rearrest(definition="ARR_ALL", as_of_time=before_any)) == []
    in_the_window = T0 + timedelta(days=90)
    report = bureau.rearrest(definition="ARR_ALL", as_of_time=in_the_window)
    # Nobody's window is complete yet: observed only until the as-of time.
    assert _events(report) in ([None, None], [0.0, 0.0])
    assert _fact(report, "Observed until").startswith("2024-05-29")


def test_a_report_of_a_time_before_its_definition_says_so(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(_FEW))
    report = bureau.rearrest(as_of_time=datetime.fromisoformat("2026-10-31T00:00:00Z"))
    assert "exploratory" in _fact(report, "Frozen")


def test_a_referral_that_was_taken_back_before_anything_was_offered_is_not_counted(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    nothing: dict[str, Any] = {"offer_time": None, "offer_outcome": None, "approve_time": None}
    gone = [a_referral(f"1x{n}", T0, version=2, state=_WITHDRAWN, **nothing) for n in range(15)]
    bureau.tell(*gone)
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [45, 90]


def test_a_referral_that_was_taken_back_later_counts_whatever_happened_next(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    bureau.tell(*(a_referral(f"1x{n}", T0, version=2, state=_WITHDRAWN) for n in range(15)))
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [60, 90]


def test_one_entry_that_is_withdrawn_leaves_the_other_of_the_same_arrest(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    entries = [_register(bureau, f"c{n}") for n in range(30)]
    _tell_compared(bureau, entries)
    for n in range(30):
        same, study = f"jev_c{n}", f"stu_c{n}"
        bureau.tell(a_link(same, study, version=2, entry_id="eve_other"))
        bureau.tell(a_link(same, study, version=3, entry_id="eve_other", withdrawn=True))
    assert _events(bureau.rearrest(definition="ARR_ALL"), "Comparison") == [15, 15]


def test_a_justice_event_that_its_source_took_back_is_not_counted(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    gone = [an_event(f"1x{n}", T0 + timedelta(days=10), version=2, withdrawn=True) for n in range(15)]
    bureau.tell(*gone)
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [45, 105]


def test_who_was_neither_eligible_nor_offered_anything_is_not_counted(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    others = [
        a_referral(f"n{n}", T0, screening_result=referral_pb2.SCREENING_RESULT_PRESUMPTIVELY_INELIGIBLE)
        for n in range(20)
    ]
    bureau.tell(*others, *(a_link(f"ref_n{n}", f"stu_n{n}") for n in range(20)))
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [60, 90]


def test_a_second_referral_of_a_person_is_no_second_person(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    again = [a_referral(f"r{n}", T0 + timedelta(days=3)) for n in range(15)]
    bureau.tell(*again, *(a_link(f"ref_r{n}", f"stu_0x{n}") for n in range(15)))
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [60, 90]


def test_study_ids_that_share_a_record_are_one_person(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    # Somebody confirmed that the person of 0 is also the one of 1: two people are one, with an arrest.
    same = [a_link(f"ref_1x{n}", f"stu_0x{n}", version=2, confirmed=True) for n in range(15)]
    bureau.tell(*same)
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [60, 75]


def test_a_match_that_somebody_confirmed_counts_whatever_its_score(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    sure = [a_link(f"jev_9x{n}", f"stu_9x{n}", version=2, score=0.75, confirmed=True) for n in range(15)]
    bureau.tell(*sure)
    assert _events(bureau.rearrest(definition="ARR_ALL")) == [75, 75]


def test_referrals_without_a_study_id_are_left_out_and_told_of(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(), *(a_referral(f"u{n}", T0) for n in range(20)))
    report = bureau.rearrest(definition="ARR_ALL")
    assert _events(report) == [60, 90]
    assert any("without a study id" in each and "about 20" in each for each in report.notes)


def test_registered_comparisons_are_counted_beside_and_an_effect_is_printed(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    entries = [_register(bureau, f"c{n}") for n in range(45)]
    _tell_compared(bureau, entries[:30])
    report = bureau.rearrest(definition="ARR_ALL")
    assert _events(report, "Comparison") == [15, 15]
    assert any("not found in the feed" in each and "about 15" in each for each in report.notes)
    assert any("compared with evaluation entries" in each for each in report.notes)


def test_an_entry_whose_link_came_first_is_counted_all_the_same(bureau: Bureau) -> None:
    entries = [_register(bureau, f"c{n}") for n in range(30)]
    _tell_compared(bureau, entries)
    bureau.tell(*feeds(), *ten_people())
    assert _events(bureau.rearrest(definition="ARR_ALL"), "Comparison") == [15, 15]


def test_a_report_is_made_again_when_something_was_told(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people())
    first = bureau.rearrest(definition="ARR_ALL")
    assert bureau.rearrest(definition="ARR_ALL") is first or bureau.rearrest(definition="ARR_ALL") == first
    bureau.tell(*(an_event(f"1x{n}", T0 + timedelta(days=10), version=2, withdrawn=True) for n in range(15)))
    assert _events(bureau.rearrest(definition="ARR_ALL")) != _events(first)


def test_a_site_without_anybody_has_an_empty_report(bureau: Bureau) -> None:
    bureau.tell(*feeds())
    report = bureau.rearrest(window="calendar")
    assert _events(report) == []
    assert report.title
    assert list(bureau.funnel().tables) == []


@pytest.mark.parametrize("window", ["6m", "24m", "calendar"])
@pytest.mark.parametrize("clock", ["calendar", "liberty"])
def test_every_window_and_clock_makes_a_report(bureau: Bureau, window: str, clock: str) -> None:
    bureau.tell(*feeds(), *ten_people())
    report = bureau.rearrest(window=window, clock=clock)
    assert _fact(report, "Clock").startswith("calendar time" if clock == "calendar" else "time at liberty")


def test_nothing_that_is_told_for_nobody_is_counted(bureau: Bureau) -> None:
    message = a_referral("1", T0).message
    bureau.tell(*feeds(), delivered(message, "ref_1", "sub_1", agencies=(OTHER_EVALUATOR,)))
    assert _events(bureau.rearrest()) == []


def _fact(report: pb.Report, name: str) -> str:
    return next((each.value for each in report.facts if each.name == name), "")


def _register(bureau: Bureau, record_id: str) -> str:
    index = pb.IndexEvent(agency_id=POLICE, system="rms", record_id=record_id)
    request = service.CreateEvaluationEntryRequest(site_id=SITE, arm=pb.ARM_COMPARISON, index_event=index)
    with bureau.calling(MANAGER):
        return bureau.servicer.CreateEvaluationEntry(request, None).entry.id  # type: ignore[no-any-return]


def _tell_compared(bureau: Bureau, entry_ids: list[str]) -> None:
    """Tell of each entry's index arrest, and of half of the people that they were arrested again."""
    for number, entry_id in enumerate(entry_ids):
        bureau.tell(
            a_link(f"jev_c{number}", f"stu_c{number}", entry_id=entry_id),
            an_event(f"c{number}", T0 + timedelta(days=number % 3), incident_key=f"index-c{number}"),
        )
        if number % 2:
            at = T0 + timedelta(days=40)
            bureau.tell(an_event(f"d{number}", at, incident_key=f"new-c{number}"))
            bureau.tell(a_link(f"jev_d{number}", f"stu_c{number}"))
