from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.options.v1 import words_pb2
from lead.referral.v1 import referral_pb2 as pb
from lead.review.v1 import review_pb2
from lead.review.v1.review_events_pb2 import ChargeDecided

from services.referral import consumers
from services.shared.events.delivery import Delivery, OpenedPart
from tests.integration.referral.exchange import Exchange
from tests.support.clock import FakeClock
from tests.unit.referral.builders import NOW, a_caller, a_draft, from_rms


def at(minutes: int) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(NOW + timedelta(minutes=minutes))
    return made


def delivered(exchange: Exchange, message: Message, **about: Any) -> None:
    """Apply an event as the consumer loop does."""
    part = OpenedPart(0, about["record_id"], message.SerializeToString(), frozenset({"sample-police"}), "", 0)
    delivery: Delivery[Any] = Delivery(
        message_class=type(message), event_id="evt_1", topic="x", time=NOW, parts=(part,), late=False, **about
    )
    handler = consumers.handlers(exchange.clock)[message.DESCRIPTOR.name]
    with exchange.db.write() as connection:
        handler.apply(connection, delivery)


def decided(exchange: Exchange, made: pb.Referral, value: str, version: int = 1, charge: int = 0) -> None:
    message = ChargeDecided(
        referral_id=made.id,
        charge_id=made.charges[charge].id,
        office_id="sample-city-attorney",
        value=review_pb2.DecisionValue.Value(f"DECISION_VALUE_{value}"),
        decided_time=at(version),
    )
    delivered(
        exchange,
        message,
        record_id=made.charges[charge].id,
        subject_id=made.reference.subject_id,
        source_agency_id="sample-city-attorney",
        version=version,
    )


def confirmed(exchange: Exchange, made: pb.Referral, agency: str = "sample-outreach", version: int = 1) -> None:
    delivered(
        exchange,
        IntakeConfirmed(intake_confirmed_time=at(0), working_as_of_time=at(version)),
        record_id="par_1",
        subject_id=made.reference.subject_id,
        source_agency_id=agency,
        version=version,
    )


def test_a_decision_stands_beside_its_charge_as_the_offices_record(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    decided(exchange, made, "DIVERT_CONFIRM")
    decision = exchange.get(made.id).charges[0].decision
    assert (decision.value, decision.office_id) == ("DIVERT_CONFIRM", "sample-city-attorney")
    assert decision.decided_time == at(1)
    reference = decision.reference
    assert (reference.subject_id, reference.source_agency_id, reference.record_id) == (
        made.reference.subject_id,
        "sample-city-attorney",
        made.id,
    )


def test_a_confirmation_stands_beside_the_referral_as_the_case_management_agencys_record(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    confirmed(exchange, made)
    confirmation = exchange.get(made.id).confirmation
    assert (confirmation.intake_confirmed_time, confirmation.working_as_of_time) == (at(0), at(1))
    reference = confirmation.reference
    assert (reference.subject_id, reference.source_agency_id, reference.record_id) == (
        made.reference.subject_id,
        "sample-outreach",
        made.id,
    )


def test_neither_changes_what_a_caller_could_notice_who_may_not_see_it(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.clock.advance(60)
    decided(exchange, made, "FILE")
    confirmed(exchange, made)
    shown = exchange.get(made.id)
    shown.ClearField("confirmation")
    shown.charges[0].ClearField("decision")
    assert shown == made


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 1, 2), (1, 2, 1)])
def test_the_newer_version_wins_in_whatever_order_they_come(exchange: Exchange, order: tuple[int, ...]) -> None:
    made = exchange.submit(a_draft())
    for version in order:
        decided(exchange, made, "FILE" if version == 2 else "DIVERT_CONFIRM", version)
        confirmed(exchange, made, version=version)
    shown = exchange.get(made.id)
    assert shown.charges[0].decision.value == "FILE"
    assert shown.confirmation.working_as_of_time == at(2)


def test_a_decision_stays_with_its_charge_over_a_correction(exchange: Exchange) -> None:
    made = exchange.submit(from_rms())
    decided(exchange, made, "DIVERT_CONFIRM")
    again = exchange.submit(from_rms(version=2, narrative="Corrected."))
    assert again.charges[0].decision.value == "DIVERT_CONFIRM"


def test_a_decision_may_come_before_anybody_asks_and_of_a_charge_long_gone(exchange: Exchange) -> None:
    made = exchange.submit(from_rms())
    decided(exchange, made, "FILE")
    without = exchange.submit(from_rms(version=2, charges=None))
    assert list(without.charges) == []
    assert exchange.get(made.id, a_caller()).id == made.id


def test_a_word_of_a_later_release_is_passed_over(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    message = ChargeDecided(referral_id=made.id, charge_id=made.charges[0].id)
    message.value = 99  # type: ignore[assignment]
    delivered(
        exchange,
        message,
        record_id=made.charges[0].id,
        subject_id=made.reference.subject_id,
        source_agency_id="sample-city-attorney",
        version=1,
    )
    assert not exchange.get(made.id).charges[0].HasField("decision")


def test_the_area_opens_no_other_event() -> None:
    assert set(consumers.handlers(FakeClock())) == {"ChargeDecided", "IntakeConfirmed"}
    assert words_pb2.CATEGORY_DECISION
