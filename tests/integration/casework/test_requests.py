"""Requests as they are opened: whole, in parts, late, twice, corrected, and for others."""

from __future__ import annotations

import pytest
from lead.options.v1 import words_pb2
from lead.referral.v1 import referral_pb2

from services.casework.models import METADATA
from services.shared.db import migrations
from tests.integration.casework.desk import Desk, a_case_manager
from tests.unit.casework.builders import AGENCY, OTHER

REFERRAL, IDENTITY = words_pb2.CATEGORY_REFERRAL, words_pb2.CATEGORY_IDENTITY


def test_the_migration_makes_the_declared_tables(desk: Desk) -> None:
    assert migrations.drift("casework", desk.parts.db.engine, METADATA) == []


@pytest.mark.parametrize("order", [(REFERRAL, IDENTITY), (IDENTITY, REFERRAL)])
def test_parts_make_one_request_in_any_order(desk: Desk, order: tuple[int, int]) -> None:
    subject, message = "sub_x", desk.request()
    for category in order:
        desk.deliver(desk.delivery(message, "hof_x", subject_id=subject, version=1, categories=[category]))
    (handoff,) = desk.handoffs()
    assert handoff.request.family_name == "Sample"
    assert not handoff.request.phones


def test_a_person_alone_is_no_handoff_yet(desk: Desk) -> None:
    desk.deliver(desk.delivery(desk.request(), "hof_x", categories=[IDENTITY]))
    assert desk.handoffs() == []


def test_a_repeat_changes_nothing(desk: Desk) -> None:
    delivery = desk.delivery(desk.request(), "hof_x")
    desk.deliver(delivery, delivery)
    (before,) = desk.handoffs()
    accepted = desk.accept(before)
    desk.deliver(delivery)
    assert desk.handoffs() == [accepted]


def test_a_correction_changes_the_request_and_leaves_the_agencys_own_work(desk: Desk) -> None:
    desk.deliver(desk.delivery(desk.request(), "hof_x", subject_id="sub_x", version=1))
    accepted = desk.accept(desk.handoffs()[0])
    corrected = desk.request(person=referral_pb2.Person(given_name="Testa", family_name="Specimen"))
    desk.deliver(desk.delivery(corrected, "hof_x", subject_id="sub_x", version=2))
    (handoff,) = desk.handoffs()
    assert handoff.request.family_name == "Specimen"
    assert (handoff.state, handoff.etag) == (accepted.state, accepted.etag)


def test_an_older_request_never_overwrites_a_newer_one(desk: Desk) -> None:
    newer = desk.request(person=referral_pb2.Person(family_name="Specimen"), meet_at="Newer Corner")
    desk.deliver(desk.delivery(newer, "hof_x", subject_id="sub_x", version=2))
    desk.deliver(desk.delivery(desk.request(), "hof_x", subject_id="sub_x", version=1))
    (handoff,) = desk.handoffs()
    assert (handoff.request.family_name, handoff.request.meet_at) == ("Specimen", "Newer Corner")


def test_what_was_opened_for_another_agency_is_not_for_this_one(desk: Desk) -> None:
    message = desk.request()
    desk.deliver(desk.delivery(message, "hof_x", subject_id="sub_x", version=1, categories=[REFERRAL]))
    foreign = desk.delivery(message, "hof_x", subject_id="sub_x", version=1, categories=[IDENTITY], agencies=[OTHER])
    desk.deliver(foreign)
    (handoff,) = desk.handoffs()
    assert not handoff.request.family_name
    assert desk.handoffs(a_case_manager(OTHER)) == []


def test_no_handoff_is_opened_for_an_agency_that_may_not_read_it(desk: Desk) -> None:
    desk.deliver(desk.delivery(desk.request(dispatch_agency_id=AGENCY), "hof_x", agencies=[OTHER]))
    assert desk.handoffs() == []
    assert desk.handoffs(a_case_manager(OTHER)) == []


def test_another_source_cannot_take_a_handoff_over(desk: Desk) -> None:
    desk.deliver(desk.delivery(desk.request(), "hof_x", subject_id="sub_x", version=1))
    (before,) = desk.handoffs()
    foreign = desk.request(site_id="santa-fe")
    desk.deliver(desk.delivery(foreign, "hof_x", subject_id="sub_x", version=9, source="sample-sheriff"))
    (after,) = desk.handoffs()
    assert after.reference == before.reference
    assert after.request.reference == before.request.reference
