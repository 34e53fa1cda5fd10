from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.holding import Holding
from services.referral.incident import KEPT, Report, charges_of, facts_of, key_text, time_of
from services.referral.rms.candidate import Age, Candidate, IncidentTime, NaturalKey, Offence, Role, Substance, Victims
from services.referral.screening import Screening, screen
from tests.unit.referral.builders import NOW, SEATTLE, Mint

NOTHING = Screening(result="ELIGIBLE", reasons=(), passed=(), policy_id="p", policy_version="1")


def a_candidate(sequence: str = "arrestee-1", number: str = "26-1", **changes: object) -> Candidate:
    given_: dict[str, object] = {
        "key": NaturalKey("ZZ0000100", "GROUP A INCIDENT REPORT", number, sequence),
        "role": Role.ARRESTEE,
        "incident_number": number,
        "incident_time": IncidentTime(date(2026, 2, 27), 21),
        "arrest_date": None,
        "offences": (
            Offence("23F", "Theft from motor vehicle"),
            Offence("35A", "Drug offence", ("using or consuming",)),
        ),
        "arrest_codes": ("35A", "90J"),
        "substances": (Substance("L", "methamphetamine", Decimal("2.8"), "GM", "gram"),),
        "age": Age(34, 34),
        "victims": Victims(1, any_person=False),
    }
    return Candidate(**{**given_, **changes})  # type: ignore[arg-type]


def a_report(digest: str = "a", sequence: str = "arrestee-1", number: str = "26-1") -> Report:
    return Report(a_candidate(sequence, number), (), NOTHING, digest, None)


def a_holding() -> Holding:
    return Holding([], {}, Mint(), NOW)


def put(holding: Holding, *reports: Report) -> list[str]:
    return [holding.put("sample-police", "seattle", each).outcome for each in reports]


def test_offences_and_bare_arrest_codes_are_charges_and_drugs_go_to_the_drug_offence() -> None:
    charges = charges_of(a_candidate())
    assert [each.offense_code for each in charges] == ["23F", "35A", "90J"]
    assert [len(each.substances) for each in charges] == [0, 1, 0]
    assert charges[1].description == "Drug offence: using or consuming"
    assert (charges[1].substances[0].quantity, charges[1].substances[0].unit) == (Decimal("2.8"), "GM")


def test_a_drug_without_a_drug_offence_is_not_lost() -> None:
    charges = charges_of(a_candidate(offences=(Offence("240", "Motor vehicle theft"),), arrest_codes=("64A",)))
    assert [len(each.substances) for each in charges] == [1, 0]


@pytest.mark.parametrize(("unit", "result"), [("GM", False), ("KG", True), (None, False)])
def test_an_amount_is_judged_in_its_own_unit_and_unknown_is_never_zero(unit: str | None, result: bool) -> None:
    quantity = None if unit is None else Decimal("2.8")
    candidate = a_candidate(substances=(Substance("L", "amphetamines or methamphetamines", quantity, unit, None),))
    found = screen(SEATTLE, facts_of(candidate, charges_of(candidate), NOW, "police_rms"), NOW)
    amounts = [each for each in found.reasons if each.rule == "max_quantity"]
    assert any(each.effect == "PRESUMPTIVELY_INELIGIBLE" for each in amounts) is result
    if unit is None:
        assert [each.effect for each in amounts] == ["NEEDS_INFO"]


def test_an_age_range_is_kept_and_judged_as_one() -> None:
    facts = facts_of(a_candidate(age=Age(17, 20)), (), NOW, "police_rms")
    assert (facts.age_range, facts.birth_date) == ((17, 20), None)
    reasons = [each.effect for each in screen(SEATTLE, facts, NOW).reasons if each.rule == "min_age"]
    assert reasons == ["NEEDS_INFO"]


def test_an_incidents_time_is_the_sites() -> None:
    assert time_of(a_candidate(), SEATTLE.zone) == datetime(2026, 2, 28, 5, tzinfo=UTC)
    assert time_of(a_candidate(incident_time=None), SEATTLE.zone) is None


def test_a_new_candidate_is_kept_for_thirty_days() -> None:
    holding = a_holding()
    assert put(holding, a_report()) == ["CREATED"]
    (made,) = holding.added
    assert made.purge_at == NOW + KEPT
    assert key_text(made.key) == "ZZ0000100/GROUP A INCIDENT REPORT/26-1/arrestee-1"
    assert holding.contents == [(made.id, "a", 1)]


def test_an_old_content_after_a_new_one_is_no_news() -> None:
    holding = a_holding()
    assert put(holding, *map(a_report, "abab")) == ["CREATED", "REPLACED", "UNCHANGED", "UNCHANGED"]
    assert [each.version for each in holding.added] == [2]


def test_one_person_or_the_whole_report_is_taken_away() -> None:
    holding = a_holding()
    put(holding, a_report(), a_report(sequence="arrestee-2"), a_report(sequence="arrestee-3"), a_report(number="26-2"))
    one = NaturalKey("ZZ0000100", "GROUP A INCIDENT REPORT", "26-1", "arrestee-2")
    whole = NaturalKey("ZZ0000100", "GROUP A INCIDENT REPORT", "26-1")
    assert [each.outcome for each in holding.take(one)] == ["DELETED"]
    assert [each.outcome for each in holding.take(one)] == ["UNKNOWN_RECORD"]
    assert [each.outcome for each in holding.take(whole)] == ["DELETED"] * 2
    assert [each.outcome for each in holding.take(whole)] == ["UNKNOWN_RECORD"]
    assert [each.number for each in holding.added] == ["26-2"]
    assert len(holding.contents) == 1


_STEPS = st.lists(st.tuples(st.sampled_from(["1", "2"]), st.sampled_from("abc"), st.booleans()), max_size=12)


@given(_STEPS, st.integers(0, 12))
def test_it_does_not_matter_where_one_submission_ends_and_the_next_begins(
    steps: list[tuple[str, str, bool]], cut: int
) -> None:
    at_once = _worked(a_holding(), steps)
    mint = Mint()
    first = Holding([], {}, mint, NOW)
    outcomes = _worked(first, steps[:cut])
    held = [*first.added]
    seen: dict[str, dict[str, int]] = {each.id: {} for each in held}
    for incident, digest, version in first.contents:
        seen[incident][digest] = version
    second = Holding(held, seen, mint, NOW)
    assert outcomes + _worked(second, steps[cut:]) == at_once


@given(_STEPS)
def test_a_version_is_a_content_not_seen_before(steps: list[tuple[str, str, bool]]) -> None:
    holding = a_holding()
    _worked(holding, steps)
    for incident in holding.added:
        digests = [digest for one, digest, _ in holding.contents if one == incident.id]
        assert len(digests) == len(set(digests)) == incident.version == incident.revision


def _worked(holding: Holding, steps: list[tuple[str, str, bool]]) -> list[str]:
    outcomes = []
    for number, digest, is_delete in steps:
        report = a_report(digest, number=number)
        if is_delete:
            outcomes += [each.outcome for each in holding.take(report.candidate.key)]
        else:
            outcomes += put(holding, report)
    return outcomes
