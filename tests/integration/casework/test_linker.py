"""What the linker makes of what it hears: study links, candidates, questions."""

from __future__ import annotations

import pytest
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1.casework_events_pb2 import STUDY_TARGET_JUSTICE_EVENT, STUDY_TARGET_REFERRAL
from sqlalchemy import func, select

from services.casework.index.models import MATCHES, RECORDS, TOKENS
from tests.integration.casework.linking import FULL, Linking, a_comparison, a_referral, an_event, referred, reported
from tests.unit.casework.builders import POLICE
from tests.unit.casework.registry import FAR_POLICE, JAIL, LONELY_POLICE, OFFICE, PRISON

NUMBERED = a_referral(local_ids=[(JAIL, "J-7")])


def one(values: set[str]) -> str:
    """Return the only one."""
    (value,) = values
    return value


def test_a_referral_gets_a_study_id_in_the_name_of_its_programme_office(linking: Linking) -> None:
    linking.tell(referred("ref_1"))
    (event,) = linking.said()
    assert (event.record_id, event.subject_id, event.source_agency_id) == ("ref_1", "sub_of_ref_1", OFFICE)
    assert event.message.target == STUDY_TARGET_REFERRAL
    assert event.message.study_id.startswith("stu_")


def test_two_strangers_have_two_study_ids(linking: Linking) -> None:
    linking.tell(referred("ref_1"), referred("ref_2", a_referral(given="Besta", birth_date="1971")))
    assert linking.studies("ref_1") != linking.studies("ref_2")
    assert linking.open() == set()


def test_an_agencys_own_number_links_an_event_by_itself_and_asks_nobody(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), reported("jev_1", an_event(given="Other", local_id="J-7")))
    study = one(linking.studies("ref_1"))
    assert linking.standing()["jev_1", study, ""] == (pb.MATCH_RULE_LOCAL_ID, 1.0, False)
    assert linking.said()[-1].message.target == STUDY_TARGET_JUSTICE_EVENT
    assert linking.open() == set()


def test_the_same_number_of_another_agency_links_nobody(linking: Linking) -> None:
    linking.tell(referred("ref_1", a_referral(local_ids=[(POLICE, "J-7")], birth_date="")))
    linking.tell(reported("jev_1", an_event(local_id="J-7", birth_date="")))
    assert linking.studies("jev_1", 0.0) == set()


def test_a_namesake_of_the_same_day_is_a_candidate_and_a_question(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1"))
    study = one(linking.studies("ref_1"))
    assert linking.standing()["jev_1", study, ""] == (pb.MATCH_RULE_NAME_AND_BIRTH_DATE, 0.9, False)
    assert linking.studies("jev_1") == set()
    (task,) = linking.tasks()
    assert (task.use, task.score) == (pb.MATCH_USE_COUNTING, 0.9)
    assert task.reference == task.found.reference
    assert task.known.reference.record_id == task.known.referral_id == "ref_1"
    assert not task.found.referral_id
    assert (task.found.given_name, task.found.family_name, task.found.birth_date) == ("Testa", "Sample", FULL)


@pytest.mark.parametrize(
    ("one_date", "other_date", "score"),
    [
        ("1990", FULL, 0.75),
        ("1990-05", FULL, 0.75),
        ("1990-05", "1990", 0.75),
        ("1990", "1990", 0.75),
        ("1990-06", FULL, None),
        ("1991", FULL, None),
        ("1990-05-02", FULL, None),
        ("", FULL, None),
        ("", "", None),
    ],
)
def test_partial_dates_match_as_far_as_they_go(
    linking: Linking, one_date: str, other_date: str, score: float | None
) -> None:
    linking.tell(referred("ref_1", a_referral(birth_date=one_date)))
    linking.tell(reported("jev_1", an_event(birth_date=other_date)))
    found = {score for (record, _, _), (_, score, _) in linking.standing().items() if record == "jev_1"}
    assert found == ({score} if score else set())
    assert len(linking.open()) == len(found)


def test_two_referrals_by_name_are_a_question_and_no_candidate(linking: Linking) -> None:
    linking.tell(referred("ref_1"), referred("ref_2"))
    assert linking.open() == {("ref_1", "ref_2", "NAME_AND_BIRTH_DATE")}
    assert linking.task("ref_1", "ref_2").use == pb.MATCH_USE_SAME_PERSON
    assert not linking.studies("ref_1", 0.0) & linking.studies("ref_2", 0.0)


def test_two_referrals_by_number_have_one_study_id_and_leave_a_question(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), referred("ref_2", NUMBERED))
    assert linking.studies("ref_1") == linking.studies("ref_2")
    assert linking.open() == {("ref_1", "ref_2", "LOCAL_ID")}


def test_what_hangs_together_by_several_numbers_is_one_person(linking: Linking) -> None:
    far = a_referral(given="Besta", local_ids=[(JAIL, "J-7"), (PRISON, "P-9")])
    linking.tell(referred("ref_1", NUMBERED), reported("jev_1", an_event(given="Other", local_id="P-9"), source=PRISON))
    assert linking.studies("jev_1") == set()
    linking.tell(referred("ref_2", far))
    assert linking.studies("ref_1") == linking.studies("ref_2") == linking.studies("jev_1")


def test_a_placeholder_is_nobodys_number(linking: Linking) -> None:
    for number in ("0", "UNKNOWN", " n/a ", "000"):
        linking.tell(
            referred(f"ref_{number}", a_referral(given=f"G{number}", local_ids=[(JAIL, number)], birth_date=""))
        )
        linking.tell(reported(f"jev_{number}", an_event(local_id=number, birth_date="")))
    assert {each.record_id[:4] for each in linking.said()} == {"ref_"}


def test_a_correction_takes_the_link_back(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), reported("jev_1", an_event(given="Other", local_id="J-7")))
    linking.tell(reported("jev_1", an_event(given="Other", local_id="J-8"), version=2))
    assert linking.studies("jev_1", 0.0) == set()
    assert linking.said()[-1].message.withdrawn


def test_a_correction_moves_the_link(linking: Linking) -> None:
    besta = a_referral(given="Besta", local_ids=[(JAIL, "J-8")])
    linking.tell(referred("ref_1", NUMBERED), referred("ref_2", besta), reported("jev_1", an_event(local_id="J-7")))
    linking.tell(reported("jev_1", an_event(given="Besta", local_id="J-8"), version=2))
    assert linking.studies("jev_1", 0.0) == linking.studies("ref_2")


def test_an_older_version_changes_nothing(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), reported("jev_1", an_event(local_id="J-7"), version=2))
    before = linking.standing()
    linking.tell(reported("jev_1", an_event(given="Besta", local_id="J-8"), version=1))
    assert linking.standing() == before


def test_an_event_that_its_source_took_back_matches_nobody(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1"))
    linking.tell(reported("jev_1", an_event(given="", family="", birth_date=""), version=2))
    assert linking.studies("jev_1", 0.0) == set()
    assert linking.open() == set()


def test_a_corrected_referral_drops_its_questions_and_splits_the_study(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), referred("ref_2", NUMBERED), reported("jev_1", an_event(local_id="J-7")))
    kept = linking.studies("ref_1")
    linking.tell(referred("ref_2", a_referral(given="Besta", birth_date="1971"), version=2))
    assert linking.studies("ref_1") == linking.studies("jev_1") == kept
    assert not linking.studies("ref_2") & kept
    assert len(linking.studies("ref_2")) == 1
    assert linking.open() == set()


@pytest.mark.parametrize("entry_first", [True, False])
def test_a_comparison_is_found_by_its_index_event(linking: Linking, entry_first: bool) -> None:
    event, entry = reported("jev_1", an_event(local_id="J-7")), reported("eve_1", a_comparison())
    linking.tell(*((entry, event) if entry_first else (event, entry)))
    linking.tell(reported("jev_2", an_event(given="Other", local_id="J-7", record="B-2")))
    ((record, study, entry_id),) = (key for key in linking.standing() if key[2])
    assert (record, entry_id) == ("jev_1", "eve_1")
    assert linking.studies("jev_2") == {study}


def test_a_comparison_that_names_another_event_lets_the_first_one_go(linking: Linking) -> None:
    linking.tell(reported("jev_1"), reported("jev_2", an_event(given="Besta", record="B-2")))
    linking.tell(reported("eve_1", a_comparison()), reported("eve_1", a_comparison("B-2"), version=2))
    assert linking.studies("jev_1", 0.0) == set()
    assert len(linking.studies("jev_2")) == 1


def test_events_of_strangers_are_linked_to_nothing_and_ask_nothing(linking: Linking) -> None:
    linking.tell(reported("jev_1"), reported("jev_2", an_event(record="B-2")))
    assert linking.said() == []
    with linking.desk.parts.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(MATCHES)).scalar() == 0


def test_agencies_without_a_common_site_share_no_question(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1", source=FAR_POLICE))
    assert linking.studies("jev_1", 0.0) == set()
    assert linking.open() == set()


def test_an_agency_of_several_sites_asks_the_one_that_knows_the_person(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1", source=PRISON))
    (task,) = linking.tasks()
    assert task.site_id == "seattle"
    (site,) = linking.desk.stated("SITE")
    assert (site.record_id, site.subject_id, site.site_id) == ("jev_1", "sub_of_jev_1", "seattle")


def test_where_nobody_runs_the_programme_nobody_counts_or_asks(linking: Linking) -> None:
    linking.tell(referred("ref_1", source=LONELY_POLICE), reported("jev_1", source=LONELY_POLICE))
    assert linking.said() == []
    with linking.desk.parts.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(MATCHES)).scalar() == 0


def test_what_was_opened_for_an_agency_is_not_for_the_linker(linking: Linking) -> None:
    linking.hear(referred("ref_1"), agencies=["sample-outreach"])
    linking.settle()
    assert linking.said() == []
    with linking.desk.parts.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(TOKENS)).scalar() == 0


def test_no_name_and_no_number_is_kept_in_clear(linking: Linking) -> None:
    names = ("Zyxgiven", "Qwvfamily")
    linking.tell(referred("ref_1", a_referral(*names, local_ids=[(JAIL, "NUM-4711")])))
    linking.tell(reported("jev_1", an_event(*names, record="REC-0815")))
    linking.tell(referred("ref_2", a_referral(*names)))
    assert len(linking.open()) == 3
    stored = linking.desk.stored()
    for told in (*names, "NUM-4711", "REC-0815", FULL):
        for text in (told, told.casefold()):
            assert text.encode() not in stored


def test_a_stranger_is_forgotten_after_the_look_back_and_who_is_linked_stays(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), reported("jev_1", an_event(local_id="J-7")))
    linking.tell(reported("jev_2", an_event(given="Besta", record="B-2")))
    linking.desk.clock.advance(30 * 24 * 3600)
    assert linking.desk.forget(days=31) == 0
    assert linking.desk.forget(days=29) == 1
    with linking.desk.parts.db.read() as connection:
        assert set(connection.execute(select(RECORDS.c.id)).scalars()) == {"ref_1", "jev_1"}
        assert set(connection.execute(select(TOKENS.c.record_id)).scalars()) == {"ref_1", "jev_1"}
