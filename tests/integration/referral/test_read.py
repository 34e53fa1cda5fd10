from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from lead.referral.v1 import referral_service_pb2 as service

from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import NOW, a_caller, a_charge, a_draft, from_rms

PARTICIPANT = Caller("acc_9", "", "", "participant", "PATRQT", participant_id="par_1")
BY_RELEASE = [
    a_caller("defender", "sample-defender"),
    a_caller("case_manager", "sample-outreach"),
    a_caller("case_supervisor", "sample-outreach"),
    PARTICIPANT,
]


def seen_by(exchange: Exchange, caller: Caller) -> set[str]:
    return {each.id for each in exchange.list_all(caller)}


def is_absent(exchange: Exchange, referral_id: str, caller: Caller) -> bool:
    try:
        exchange.get(referral_id, caller)
    except LeadError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return True
    return False


@pytest.mark.parametrize("role", ["police_officer", "police_rms", "police_liaison"])
def test_police_see_their_own_agencys(exchange: Exchange, role: str) -> None:
    mine = exchange.submit(a_draft(agency_ori="WASAMPLE1"))
    other = exchange.submit(a_draft(agency_ori="WASAMPLE2"), a_caller(agency="sample-sheriff"))
    assert seen_by(exchange, a_caller(role)) == {mine.id}
    assert is_absent(exchange, other.id, a_caller(role))


def test_a_prosecutor_sees_what_is_routed_to_the_own_office(exchange: Exchange) -> None:
    misdemeanour = exchange.submit(a_draft())
    exchange.submit(a_draft(charges=None))
    city, county = (a_caller("prosecutor", f"sample-{each}") for each in ("city-attorney", "county-prosecutor"))
    assert seen_by(exchange, city) == {misdemeanour.id}
    assert seen_by(exchange, county) == set()
    assert is_absent(exchange, misdemeanour.id, county)


def test_the_programme_office_sees_its_own_sites(exchange: Exchange) -> None:
    here = exchange.submit(a_draft())
    assert seen_by(exchange, a_caller("program_manager", "sample-office")) == {here.id}
    elsewhere = a_caller("program_manager", "sample-santa-fe-office", site_ids=("santa-fe",))
    assert seen_by(exchange, elsewhere) == set()
    assert seen_by(exchange, a_caller("program_manager", "sample-office", site_ids=())) == set()
    assert is_absent(exchange, here.id, elsewhere)


@pytest.mark.parametrize("caller", BY_RELEASE, ids=lambda each: each.role)
def test_a_release_opens_rows_by_subject(exchange: Exchange, caller: Caller) -> None:
    one, other = exchange.submit(a_draft()), exchange.submit(a_draft())
    assert seen_by(exchange, caller) == set()
    granted = frozenset({one.reference.subject_id, *(f"sub_{n}" for n in range(2000))})
    exchange.edge.granted[caller.participant_id or caller.agency_id] = granted
    assert seen_by(exchange, caller) == {one.id}
    assert not is_absent(exchange, one.id, caller)
    assert is_absent(exchange, other.id, caller)


@pytest.mark.parametrize("role", ["provider_staff", "evaluator", "operator", "made_up"])
def test_any_other_role_sees_no_row(exchange: Exchange, role: str) -> None:
    made = exchange.submit(a_draft())
    caller = a_caller(agency="sample-police", agency_kind="police")
    stranger = Caller(caller.account_id, caller.agency_id, caller.agency_kind, role, caller.purpose, caller.site_ids)
    assert seen_by(exchange, stranger) == set()
    assert is_absent(exchange, made.id, stranger)


def test_absent_and_withheld_read_alike(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    errors = []
    for referral_id in (made.id, "ref_00000000-0000-7000-8000-000000000000", "", "'; --"):
        with pytest.raises(LeadError) as error:
            exchange.get(referral_id, a_caller(agency="sample-sheriff"))
        errors.append(str(error.value))
    assert len(set(errors)) == 1


def test_a_list_goes_by_id_so_that_its_order_tells_nothing_of_changes(exchange: Exchange) -> None:
    ids = []
    for number in range(5):
        exchange.clock.advance(1)
        ids.append(exchange.submit(from_rms(f"R-{number}")).id)
    assert [each.id for each in exchange.list_all()] == sorted(ids)
    exchange.clock.advance(1)
    exchange.submit(from_rms("R-1", version=2))
    assert [each.id for each in exchange.list_all()] == sorted(ids)


def test_many_changes_of_one_moment_are_listed_once_each(exchange: Exchange) -> None:
    made = {exchange.submit(a_draft()).id for _ in range(7)}
    listed = [each.id for each in exchange.list_all()]
    assert len(listed) == 7
    assert set(listed) == made


def test_updated_after_leaves_out_what_was_known_by_then(exchange: Exchange) -> None:
    exchange.submit(a_draft())
    exchange.submit(a_draft())
    after = Timestamp()
    after.FromDatetime(NOW)
    assert exchange.list_all(updated_after=after) == []
    exchange.clock.advance(1)
    later = {exchange.submit(a_draft()).id for _ in range(3)}
    assert {each.id for each in exchange.list_all(updated_after=after)} == later


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"page_size": 501}, "pageSize"),
        ({"page_size": -1}, "pageSize"),
        ({"page_token": "not one"}, "pageToken"),
        ({"updated_after": Timestamp(seconds=10**15)}, "updatedAfter"),
    ],
)
def test_a_list_is_asked_for_properly(exchange: Exchange, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(LeadError) as error:
        exchange.call("ListReferrals", service.ListReferralsRequest(**fields))
    assert [each.path for each in error.value.violations] == [path]


def test_a_page_says_whether_there_is_another(exchange: Exchange) -> None:
    for _ in range(2):
        exchange.submit(a_draft(charges=[a_charge()]))
    page = exchange.call("ListReferrals", service.ListReferralsRequest(page_size=2))
    assert len(page.referrals) == 2
    assert not page.HasField("next_page_token")
