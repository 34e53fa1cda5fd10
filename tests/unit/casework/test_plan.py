"""What follows from the picture of one person."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.casework.index import links, subjects
from services.casework.index.links import Link
from services.casework.index.picture import Holding
from services.casework.index.plan import plan
from services.casework.index.tokens import Named
from tests.unit.casework.people import OFFICES, a_match, a_picture, a_record
from tests.unit.casework.registry import OFFICE

BESTA = Named("Besta", "Sample", "1971-01-01")
FRESH = "stu_fresh"
SOME_LINKS = st.dictionaries(
    st.tuples(st.sampled_from(["stu_a", "stu_b", "stu_c"]), st.sampled_from(["", "eve_1"])),
    st.builds(
        Link,
        st.sampled_from(["LOCAL_ID", "NAME_AND_BIRTH_DATE"]),
        st.sampled_from([1.0, 0.9, 0.75]),
        confirmed=st.booleans(),
    ),
)


def fresh() -> str:
    return FRESH


def test_a_person_keeps_the_study_id_of_his_oldest_record() -> None:
    person = [a_record("ref_2", study_id="stu_b"), a_record("ref_1", study_id="stu_a")]
    assert links.study_of(a_picture(person), fresh) == "stu_a"


def test_a_study_id_stays_with_the_older_of_two_who_turn_out_to_be_two() -> None:
    kept = a_picture([a_record("ref_1", study_id="stu_a")])
    assert links.study_of(kept, fresh) == "stu_a"
    split = a_picture([a_record("ref_2", study_id="stu_a")], first_with={"stu_a": "ref_1"})
    assert links.study_of(split, fresh) == FRESH


def test_nobody_who_is_not_counted_has_a_study_id() -> None:
    assert links.study_of(a_picture([a_record("jev_1")]), fresh) == ""


@given(SOME_LINKS, SOME_LINKS)
def test_what_is_said_makes_the_one_out_of_the_other(
    before: dict[tuple[str, str], Link], after: dict[tuple[str, str], Link]
) -> None:
    stands = dict(before)
    for key, link, withdrawn in links.changes(before, after):
        stands.pop(key, None)
        if not withdrawn:
            stands[key] = link
    assert stands == after


@given(SOME_LINKS, SOME_LINKS)
def test_the_surest_is_said_last_and_nothing_is_said_twice(
    before: dict[tuple[str, str], Link], after: dict[tuple[str, str], Link]
) -> None:
    said = list(links.changes(before, after))
    order = [(not withdrawn, link.confirmed, link.score) for _, link, withdrawn in said if not withdrawn]
    assert order == sorted(order)
    assert [withdrawn for *_, withdrawn in said] == sorted((withdrawn for *_, withdrawn in said), reverse=True)
    assert all(before.get(key) != after.get(key) for key, *_ in said)
    assert list(links.changes(after, after)) == []


def test_facts_count_on_from_what_was_said_of_the_record() -> None:
    record = a_record("ref_1", said=4)
    made = plan(a_picture([record]), {}, set(), OFFICES, lambda prefix: f"{prefix}_x")
    (fact,) = made.facts
    assert (fact.version, fact.source_agency_id, fact.subject_id) == (5, OFFICE, record.subject_id)


def test_what_stands_is_not_said_again() -> None:
    record = a_record("ref_1", study_id="stu_a")
    stands = {"ref_1": {("stu_a", ""): Link("", 1.0, confirmed=False)}}
    made = plan(a_picture([record]), stands, set(), OFFICES, lambda prefix: f"{prefix}_x")
    assert (made.facts, made.statements, made.onward) == ([], [], ())


def test_a_confirmed_event_says_by_which_rule() -> None:
    referral, event = a_record("ref_1", study_id="stu_a"), a_record("jev_1")
    picture = a_picture([referral, event], matches=[a_match(referral, event, "CONFIRMED")])
    found = links.links_of(picture, event, "stu_a", lambda _one, _other: True)
    assert found == {("stu_a", ""): Link("NAME_AND_BIRTH_DATE", 0.9, confirmed=True)}


def test_a_namesake_is_a_candidate_only_where_an_office_may_judge_both() -> None:
    referral, event = a_record("ref_1", study_id="stu_a"), a_record("jev_1")
    picture = a_picture([event], [referral])
    assert links.links_of(picture, event, "", lambda _one, _other: True) != {}
    assert links.links_of(picture, event, "", lambda _one, _other: False) == {}


def test_a_rule_alone_joins_no_subject_and_names_no_account() -> None:
    held, free = a_record("ref_1", numbers=["1"]), a_record("ref_2", BESTA, numbers=["1"])
    holding = Holding(subject_id=held.subject_id, agency_id="sample-outreach", participant_id="par_1")
    picture = a_picture([held, free], holdings=[holding])
    assert subjects.joined(picture) == []
    assert subjects.by_rule(picture, ()) == [(free.subject_id, "par_1")]
    assert subjects.rule_statement(free.subject_id, "par_1").confirmed_by == ""
    assert subjects.by_rule(picture, {free.subject_id}) == []


def test_only_an_answer_about_two_referrals_joins_subjects() -> None:
    held, free, event = a_record("ref_1"), a_record("ref_2"), a_record("jev_1")
    holding = Holding(subject_id=held.subject_id, agency_id="sample-outreach", participant_id="par_1")
    by_event = [a_match(held, event, "CONFIRMED"), a_match(free, event, "CONFIRMED")]
    assert subjects.joined(a_picture([held, free, event], holdings=[holding], matches=by_event)) == []
    answered = a_picture([held, free], holdings=[holding], matches=[a_match(held, free, "CONFIRMED")])
    (joined,) = subjects.joined(answered)
    assert (joined.holding.subject_id, joined.account_id) == (free.subject_id, "office-manager")
    assert joined.statement().confirmed_by == "office-manager"


def test_an_answer_whose_ground_is_gone_joins_nobody() -> None:
    held, free = a_record("ref_1"), a_record("ref_2")
    answer = a_match(held, free, "CONFIRMED")
    holding = Holding(subject_id=held.subject_id, agency_id="sample-outreach", participant_id="par_1")
    corrected = a_record("ref_2", BESTA)
    assert subjects.joined(a_picture([held, corrected], holdings=[holding], matches=[answer])) == []
