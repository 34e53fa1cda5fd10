"""Study ids of one person are joined, in whatever order their links come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.persons import joined

_SETS = st.lists(st.lists(st.sampled_from([f"stu_{n}" for n in range(12)]), min_size=1, max_size=3), max_size=12)


def test_two_study_ids_on_one_record_are_one_person() -> None:
    assert joined([["stu_b", "stu_a"]]) == {"stu_a": "stu_a", "stu_b": "stu_a"}


def test_a_chain_of_records_makes_one_person() -> None:
    assert set(joined([["stu_d", "stu_c"], ["stu_b", "stu_a"], ["stu_c", "stu_b"]]).values()) == {"stu_a"}


def test_those_that_share_nothing_stay_apart() -> None:
    found = joined([["stu_a", "stu_b"], ["stu_c", "stu_d"]])
    assert found["stu_b"] == "stu_a"
    assert found["stu_d"] == "stu_c"


@given(_SETS, st.randoms(use_true_random=False))
def test_the_order_of_the_links_does_not_matter(sets: list[list[str]], lots: object) -> None:
    shuffled = [list(each) for each in sets]
    lots.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    for each in shuffled:
        lots.shuffle(each)  # type: ignore[attr-defined]
    assert joined(shuffled) == joined(sets)


@given(_SETS)
def test_whoever_shares_a_record_shares_the_person(sets: list[list[str]]) -> None:
    found = joined(sets)
    for each in sets:
        assert len({found[study_id] for study_id in each}) == 1
    assert all(found[person] == person for person in found.values())
