"""What the sample files that nobody here wrote come out as; they live beside the project, so they may be absent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from services.referral.rms.candidate import Action, Age, Item, Role, content_digest
from services.referral.rms.nibrs import read

FIXTURES = Path(__file__).parents[3].parent / "shared/fixtures/nibrs"
OWN = frozenset({"WVNDX0100"})

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the sample files are not here")


def only_item(name: str) -> Item:
    (item,) = read((FIXTURES / name).read_bytes(), caller_ori=OWN).items
    assert not item.rejected, item.violations
    return item


def test_every_sample_is_read() -> None:
    names = sorted(path.name for path in FIXTURES.glob("*.xml"))
    assert names
    for name in names:
        only_item(name)


def test_aggravated_assault_is_among_the_codes_of_the_group_a_incident() -> None:
    item = only_item("GroupAIncident_Sample.xml")
    (candidate,) = item.candidates
    assert item.action is Action.UPSERT
    assert candidate.codes == ("13A",)
    assert candidate.offences[0].description == "Aggravated assault"
    assert candidate.role is Role.SUBJECT
    assert candidate.age == Age(25, 30)
    assert candidate.key.number == "000054236732"
    assert candidate.substances[0].quantity == Decimal("1.5")
    assert candidate.victims is not None
    assert (candidate.victims.count, candidate.victims.any_person) == (2, True)


def test_two_arrestees_are_two_candidates() -> None:
    item = only_item("GroupBArrest_Sample_multipleArrestees.xml")
    assert [candidate.key.sequence for candidate in item.candidates] == ["arrestee-1", "arrestee-2"]
    assert {candidate.codes for candidate in item.candidates} == {("64A",)}
    assert len({content_digest(candidate) for candidate in item.candidates}) == 2


def test_one_arrestee_of_two_keeps_key_and_content_when_sent_alone() -> None:
    together = only_item("GroupBArrest_Sample_multipleArrestees.xml").candidates[0]
    (alone,) = only_item("GroupBArrest_Sample.xml").candidates
    assert alone.key == together.key
    assert content_digest(alone) == content_digest(together)


def test_a_delete_has_the_incidents_key_and_no_candidates() -> None:
    item = only_item("IncidentDelete_Sample.xml")
    assert (item.action, item.candidates) == (Action.DELETE, ())
    assert item.key is not None
    assert (item.key.ori, item.key.number, item.key.sequence) == ("WVNDX0100", "020160005029", "")


def test_a_group_b_delete_takes_away_the_arrestee_that_it_names() -> None:
    deleted = only_item("GroupBArrestDelete_Sample.xml")
    (sent,) = only_item("GroupBArrest_Sample.xml").candidates
    assert (deleted.action, deleted.key) == (Action.DELETE, sent.key)


def test_a_zero_report_has_no_candidates() -> None:
    item = only_item("ZeroReport_Sample.xml")
    assert (item.action, item.candidates) == (Action.ZERO, ())
    assert item.key is not None
    assert item.key.number == "2016-02"


def test_a_replace_has_the_key_of_what_it_replaces_and_only_kept_facts_make_a_version() -> None:
    first, second = only_item("GroupAIncident_Sample.xml"), only_item("GroupAReplace_Sample.xml")
    assert (second.action, second.key) == (Action.REPLACE, first.key)
    # The two differ in the kind of place alone, which is not kept.
    assert content_digest(first.candidates[0]) == content_digest(second.candidates[0])


def test_offence_and_arrest_code_are_both_kept() -> None:
    (candidate,) = only_item("AllFields_Sample.xml").candidates
    assert candidate.codes == ("240", "64A")
    assert [offence.code for offence in candidate.offences] == ["240"]
    assert candidate.arrest_codes == ("64A",)
    assert candidate.age == Age(25, 25)


def test_unit_xx_is_not_reported_and_never_a_number() -> None:
    (substance,) = only_item("AllFields_Sample.xml").candidates[0].substances
    assert (substance.drug_code, substance.quantity, substance.unit) == ("X", None, None)


def test_the_samples_are_nobody_elses() -> None:
    for path in FIXTURES.glob("*.xml"):
        (item,) = read(path.read_bytes(), caller_ori=frozenset({"WVNDX0200"})).items
        assert (item.reason, item.key, item.candidates) == ("ORI_NOT_YOURS", None, ())
