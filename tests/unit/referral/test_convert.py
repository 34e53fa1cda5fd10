from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import referral_events_pb2 as events
from lead.referral.v1 import referral_pb2 as pb

from services.referral import convert, convert_events
from services.referral.convert_referral import referral_to_wire
from services.referral.convert_site import site_to_wire
from services.referral.domain import Handoff, Offer
from services.referral.screening import Substance
from services.shared.events.labels import check_event_descriptor
from tests.unit.referral.builders import NOW, SANTA_FE, SEATTLE, a_charge, a_draft, a_referral


def test_what_was_sent_comes_back_as_it_was() -> None:
    draft = a_draft(
        victim=pb.VictimOfOffence(present=False, position=pb.VICTIM_POSITION_NOT_ASKED),
        evidence_basis=pb.EVIDENCE_BASIS_DIRECT_OBSERVATION,
    )
    shown = referral_to_wire(a_referral(draft), {}, None, None)
    for name in ("person", "contact", "officer", "observations", "attestations", "narrative", "victim"):
        assert getattr(shown, name) == getattr(draft, name)
    for name in ("site_id", "door", "agency_ori", "incident_number", "evidence_basis"):
        assert getattr(shown, name) == getattr(draft, name)
    for sent, charge in zip(draft.charges, shown.charges, strict=True):
        assert (charge.statute, charge.offense_code, charge.level) == (sent.statute, sent.offense_code, sent.level)
        assert charge.substances == sent.substances


def test_what_was_not_said_is_not_there() -> None:
    shown = referral_to_wire(a_referral(pb.ReferralDraft(site_id="seattle", door=pb.DOOR_COMMUNITY)), {}, None, None)
    for name in ("person", "contact", "officer", "victim", "offer", "handover", "confirmation", "incident_time"):
        assert not shown.HasField(name)
    assert not shown.HasField("narrative")


@given(st.decimals(min_value=Decimal("0.000001"), max_value=Decimal("99999"), places=6))
def test_a_quantity_is_shown_with_the_digits_that_were_sent(quantity: Decimal) -> None:
    text = format(quantity, "f")
    charge = convert.charge_to_wire(convert.charge_from_wire(a_charge(quantity=text)))
    assert charge.substances[0].quantity == text


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("GM", ("4", pb.QUANTITY_UNIT_GRAM, "cannabis")),
        ("KG", ("4000", pb.QUANTITY_UNIT_GRAM, "cannabis")),
        ("DU", ("4", pb.QUANTITY_UNIT_DOSAGE_UNIT, "cannabis")),
        ("NP", ("", pb.QUANTITY_UNIT_NOT_REPORTED, "cannabis (4 plants)")),
        ("ML", ("", pb.QUANTITY_UNIT_NOT_REPORTED, "cannabis (4 ml)")),
    ],
)
def test_a_unit_that_the_contract_lacks_loses_no_amount(unit: str, shown: tuple[str, int, str]) -> None:
    (made,) = convert.substances_to_wire([Substance(drug="cannabis", quantity=Decimal(4), unit=unit)])
    assert (made.quantity, made.unit, made.drug) == shown


def test_not_reported_is_never_a_number() -> None:
    (made,) = convert.substances_to_wire([Substance(drug="heroin", quantity=None, unit="XX")])
    assert made.unit == pb.QUANTITY_UNIT_NOT_REPORTED
    assert not made.HasField("quantity")


@pytest.mark.parametrize("event", [events.ReferralRecorded, events.ReferralWithdrawn, events.HandoffRequested])
def test_an_event_can_be_taken_apart_by_category(event: type) -> None:
    assert check_event_descriptor(event.DESCRIPTOR) == []  # type: ignore[attr-defined]


def test_the_recorded_event_carries_the_whole_but_observations_and_contact() -> None:
    referral = a_referral(a_draft(observations=None))
    event = convert_events.recorded(referral, SEATTLE)
    assert event.narrative == "Made up for a test."
    assert event.policy_version == "1"
    assert event.state == pb.REFERRAL_STATE_NEEDS_INFO
    assert "amenable" in event.screening_rules
    assert "0100" not in str(event)


def test_the_request_for_a_case_manager_carries_where_to_go() -> None:
    handoff = Handoff(id="hof_1", agency_id="sample-outreach", requested_at=NOW, window_end=NOW + timedelta(hours=72))
    offer = Offer(outcome="ACCEPTED", call_time=NOW, meet_at="corner", dispatch_agency_id="sample-outreach")
    event = convert_events.handoff_requested(replace(a_referral(), offer=offer, handoff=handoff), handoff, SEATTLE)
    assert event.contact.phones == ["+1 206 555 0100"]
    assert event.window_end_time.ToDatetime(tzinfo=UTC) == NOW + timedelta(hours=72)
    assert (event.meet_at, event.officer.unit) == ("corner", "West")


def test_a_site_shows_open_doors_and_every_clock() -> None:
    shown = site_to_wire(SANTA_FE)
    assert pb.DOOR_COMMUNITY not in shown.doors
    assert [each.name for each in shown.clocks] == [
        "handoff",
        "intake_arrest_diversion",
        "intake_social_contact",
        "outreach",
        "reminders",
    ]
