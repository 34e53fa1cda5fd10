"""What links a subject to a participant: a person's word, and what a rule may do without one."""

from __future__ import annotations

from typing import Any

import pytest
from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from sqlalchemy import select

from services.casework.models import LINKS
from services.shared.errors import Code, LeadError
from tests.integration.casework.linking import Linking, a_referral, an_event, referred, reported
from tests.unit.casework.registry import JAIL

NUMBERED = a_referral(local_ids=[(JAIL, "J-7")])


def confirmed(linking: Linking) -> list[Any]:
    """The intakes that were confirmed, by subject."""
    return [each.subject_id for each in linking.desk.recorder.said if isinstance(each.message, IntakeConfirmed)]


def told(linking: Linking) -> list[tuple[str, str, str]]:
    """The links that reached consent: participant, subject, account."""
    return [(each.participant_id, each.subject_ids[0], each.confirmed_by) for each in linking.desk.links()]


def linked(linking: Linking) -> set[str]:
    """The subjects that are linked here."""
    with linking.desk.parts.db.read() as connection:
        return set(connection.execute(select(LINKS.c.subject_id)).scalars())


@pytest.mark.parametrize("number_first", [True, False])
def test_a_rule_links_a_subject_in_nobodys_name_and_nothing_more(linking: Linking, number_first: bool) -> None:
    if number_first:
        linking.tell(referred("ref_2", NUMBERED))
    known = linking.joined(referred("ref_1", NUMBERED))
    linking.desk.take_in(known)
    if not number_first:
        linking.tell(referred("ref_2", NUMBERED))
    # Consent opens nothing by a link without an account; here no row, no confirmation and no list shows it either.
    assert told(linking)[1:] == [(known.id, "sub_of_ref_2", "")]
    assert linked(linking) == {"sub_of_ref_1"}
    assert set(confirmed(linking)) == {"sub_of_ref_1"}
    assert [each.id for each in linking.desk.participants()] == [known.id]
    linking.desk.consent.granted = {"sample-second-outreach": frozenset({"sub_of_ref_2"})}
    with pytest.raises(LeadError) as refused:
        linking.desk.get(known.id, linking.desk.stranger)
    assert refused.value.code is Code.NOT_FOUND
    assert linking.open() == {("ref_1", "ref_2", "LOCAL_ID")}


def test_a_rule_links_once(linking: Linking) -> None:
    known = linking.joined(referred("ref_1", NUMBERED))
    linking.tell(referred("ref_2", NUMBERED), referred("ref_2", NUMBERED, version=2), referred("ref_1", NUMBERED, 2))
    assert told(linking)[1:] == [(known.id, "sub_of_ref_2", "")]


def test_no_link_is_ever_said_without_an_account_but_by_number(linking: Linking) -> None:
    linking.joined(referred("ref_1"))
    linking.tell(referred("ref_2"), reported("jev_1"), reported("jev_2", an_event(local_id="J-7", record="B-2")))
    assert [account for _, _, account in told(linking)] == ["sample-outreach-case-manager"]


def test_a_confirmed_match_links_the_other_subject_in_the_accounts_name(linking: Linking) -> None:
    known = linking.joined(referred("ref_1"))
    linking.tell(referred("ref_2"))
    linking.confirm(linking.task("ref_1", "ref_2"))
    assert told(linking)[1:] == [(known.id, "sub_of_ref_2", "office-manager")]
    assert linked(linking) == {"sub_of_ref_1", "sub_of_ref_2"}
    linking.desk.take_in(known)
    assert sorted(confirmed(linking)) == ["sub_of_ref_1", "sub_of_ref_2"]


def test_a_confirmed_intake_is_told_on_a_subject_that_a_match_links(linking: Linking) -> None:
    known = linking.joined(referred("ref_1"))
    linking.desk.take_in(known)
    linking.tell(referred("ref_2"))
    assert confirmed(linking) == ["sub_of_ref_1"]
    linking.confirm(linking.task("ref_1", "ref_2"))
    assert confirmed(linking) == ["sub_of_ref_1", "sub_of_ref_2"]


def test_a_participant_who_comes_later_brings_the_confirmed_subject_along(linking: Linking) -> None:
    linking.tell(referred("ref_1"), referred("ref_2"))
    linking.confirm(linking.task("ref_1", "ref_2"))
    assert told(linking) == []
    known = linking.joined(referred("ref_1", version=2))
    assert told(linking)[1:] == [(known.id, "sub_of_ref_2", "office-manager")]


def test_a_confirmation_takes_the_place_of_a_rules_link(linking: Linking) -> None:
    known = linking.joined(referred("ref_1", NUMBERED))
    linking.tell(referred("ref_2", NUMBERED))
    linking.confirm(linking.task("ref_1", "ref_2"))
    assert told(linking)[1:] == [(known.id, "sub_of_ref_2", ""), (known.id, "sub_of_ref_2", "office-manager")]


def test_two_participants_stay_two_whatever_a_match_says(linking: Linking) -> None:
    linking.joined(referred("ref_1"))
    linking.joined(referred("ref_2"))
    linking.confirm(linking.task("ref_1", "ref_2"))
    assert len(told(linking)) == 2
    assert linking.studies("ref_1") == linking.studies("ref_2")


def test_a_justice_event_links_no_subject(linking: Linking) -> None:
    linking.joined(referred("ref_1"))
    linking.tell(reported("jev_1"))
    linking.confirm(linking.task("ref_1", "jev_1"))
    assert len(told(linking)) == 1
    assert linked(linking) == {"sub_of_ref_1"}


def test_an_intake_that_would_miss_a_subject_linked_by_a_match_meanwhile_is_aborted(linking: Linking) -> None:
    known = linking.joined(referred("ref_1"))
    linking.tell(referred("ref_2"))
    match = linking.task("ref_1", "ref_2")
    linking.desk.recorder.meanwhile = lambda: linking.confirm(match)
    with pytest.raises(LeadError) as refused:
        linking.desk.take_in(known)
    assert refused.value.code is Code.ABORTED
    before = len(confirmed(linking))
    linking.desk.take_in(known)
    assert sorted(confirmed(linking)[before:]) == ["sub_of_ref_1", "sub_of_ref_2"]


def test_an_intake_meanwhile_is_not_missed_by_the_link(linking: Linking) -> None:
    known = linking.joined(referred("ref_1"))
    linking.tell(referred("ref_2"))
    match = linking.task("ref_1", "ref_2")
    linking.desk.recorder.meanwhile = lambda: linking.desk.take_in(known)
    linking.confirm(match)
    assert sorted(confirmed(linking)) == ["sub_of_ref_1", "sub_of_ref_2"]
