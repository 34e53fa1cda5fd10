"""What is offered, to whom it is shown, and what may be told of how many it served."""

from __future__ import annotations

from typing import Any

import pytest
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service
from sqlalchemy import select

from services.provider.models import SERVICE_TOTALS
from services.shared.errors import Code, LeadError
from tests.integration.provider.house import House, a_case_manager, a_provider
from tests.unit.provider.builders import HOUSING, SHELTER, SITE, TREATMENT

OTHER_SITE = "santa-fe"


def change(house: House, one: pb.Service, caller: Any = None, **said: Any) -> pb.Service:
    request = service.UpdateServiceRequest(**{"id": one.id, "etag": one.etag, **said})
    found: pb.Service = house.call("UpdateService", request, caller or a_provider()).service
    return found


def total(house: House, one: pb.Service, people: int, caller: Any = None, **said: Any) -> pb.Service:
    days = {"period_start": "2026-01-01", "period_end": "2026-01-31"}
    request = service.RecordServiceTotalRequest(**{"id": one.id, "people": people, **days, **said})
    found: pb.Service = house.call("RecordServiceTotal", request, caller or a_provider()).service
    return found


def test_a_service_is_shown_at_its_sites_and_nowhere_else(house: House) -> None:
    one = house.a_service()
    assert [each.id for each in house.services(a_case_manager())] == [one.id]
    assert house.services(a_case_manager(sites=(OTHER_SITE,))) == []
    assert list(one.site_ids) == [SITE]


def test_the_own_agency_sees_its_services_wherever_they_are(house: House) -> None:
    one = house.a_service()
    assert [each.id for each in house.services(a_provider(sites=(OTHER_SITE,)))] == [one.id]


def test_lists_are_narrowed_by_agency_and_kind(house: House) -> None:
    beds = house.a_service(HOUSING, kind=pb.SERVICE_KIND_HOUSING)
    day = house.a_service(kind=pb.SERVICE_KIND_SUBSTANCE_USE_TREATMENT)
    shown = house.services
    assert [each.id for each in shown(a_case_manager(), agency_id=TREATMENT)] == [day.id]
    assert [each.id for each in shown(a_case_manager(), kind=pb.SERVICE_KIND_HOUSING)] == [beds.id]
    assert [each.id for each in shown(a_case_manager())] == [beds.id, day.id]


def test_a_service_is_offered_at_own_sites_only(house: House) -> None:
    with pytest.raises(LeadError) as refused:
        house.a_service(site_ids=[SITE, OTHER_SITE])
    assert [each.path for each in refused.value.violations] == ["siteIds[1]"]


def test_everything_that_is_wrong_with_a_service_is_said_at_once(house: House) -> None:
    request = service.CreateServiceRequest(capacity=-1, open_places=-1, description="hiv positive only", state=99)  # type: ignore[arg-type]
    with pytest.raises(LeadError) as refused:
        house.call("CreateService", request, a_provider())
    paths = [each.path for each in refused.value.violations]
    assert paths == ["name", "kind", "description", "capacity", "openPlaces", "state"]


def test_more_open_places_than_places_are_refused(house: House) -> None:
    with pytest.raises(LeadError) as refused:
        house.a_service(capacity=2, open_places=3)
    assert [each.path for each in refused.value.violations] == ["openPlaces"]


def test_what_is_absent_stays_and_what_is_given_changes(house: House) -> None:
    one = house.a_service(description="Mornings")
    after = change(house, one, open_places=0, state=pb.SERVICE_STATE_WAITLIST_ONLY)
    assert (after.open_places, after.capacity, after.description) == (0, 20, "Mornings")
    assert after.HasField("open_places")
    assert after.etag != one.etag


def test_a_change_that_changes_nothing_keeps_its_etag(house: House) -> None:
    one = house.a_service()
    assert change(house, one, capacity=20).etag == one.etag


def test_a_stale_etag_is_aborted_and_a_missing_one_refused(house: House) -> None:
    one = house.a_service()
    change(house, one, capacity=30)
    with pytest.raises(LeadError) as stale:
        change(house, one, capacity=40)
    with pytest.raises(LeadError) as missing:
        change(house, one, etag="")
    assert stale.value.code is Code.ABORTED
    assert [each.path for each in missing.value.violations] == ["etag"]


def test_another_agencys_service_cannot_be_changed_nor_told_from_none(house: House) -> None:
    one = house.a_service()
    refused = []
    for each in (one, pb.Service(id="srv_none", etag="tag")):
        with pytest.raises(LeadError) as error:
            change(house, each, a_provider(HOUSING), capacity=1)
        refused.append(error.value.args)
    assert refused[0] == refused[1]
    assert refused[0][0] is Code.NOT_FOUND


def test_a_repeat_by_key_makes_no_second_service_and_another_body_is_refused(house: House) -> None:
    first = house.a_service(request_id="once")
    assert house.a_service(request_id="once").id == first.id
    assert len(house.services(a_case_manager())) == 1
    with pytest.raises(LeadError) as refused:
        house.a_service(request_id="once", name="Another")
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


def test_a_total_is_rounded_to_five(house: House) -> None:
    (shown,) = total(house, house.a_service(), 23).totals
    assert (shown.people, shown.suppressed) == (25, False)
    assert (shown.period_start, shown.period_end) == ("2026-01-01", "2026-01-31")


@pytest.mark.parametrize("people", [0, 1, 10])
def test_a_total_under_eleven_is_not_told(house: House, people: int) -> None:
    (shown,) = total(house, house.a_service(), people).totals
    assert not shown.HasField("people")
    assert shown.suppressed


def test_the_same_period_again_takes_its_place_and_the_raw_number_stays_here(house: House) -> None:
    one = house.a_service()
    total(house, one, 23)
    after = total(house, one, 41)
    assert [each.people for each in after.totals] == [40]
    with house.parts.db.read() as connection:
        assert connection.execute(select(SERVICE_TOTALS.c.people)).scalars().all() == [41]


def test_a_victim_service_provider_posts_services_and_totals(house: House) -> None:
    one = house.a_service(SHELTER, kind=pb.SERVICE_KIND_VICTIM_SERVICES)
    after = total(house, one, 57, a_provider(SHELTER))
    assert [each.people for each in after.totals] == [55]


def test_a_period_is_two_days_in_order_that_are_not_ahead(house: House) -> None:
    one = house.a_service()
    with pytest.raises(LeadError) as refused:
        total(house, one, 12, period_start="2026-02-30", period_end="2026-04-01")
    assert [each.path for each in refused.value.violations] == ["periodStart", "periodEnd"]
    with pytest.raises(LeadError) as backwards:
        total(house, one, 12, period_start="2026-02-01", period_end="2026-01-01")
    assert [each.path for each in backwards.value.violations] == ["periodEnd"]


def test_a_total_of_another_agencys_service_is_not_found(house: House) -> None:
    with pytest.raises(LeadError) as refused:
        total(house, house.a_service(), 12, a_provider(HOUSING))
    assert refused.value.code is Code.NOT_FOUND
