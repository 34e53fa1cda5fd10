"""The same by the real consumer loop: sealed events, opened as far as consent releases their keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from google.protobuf.message import Message
from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.options.v1 import words_pb2
from lead.referral.v1.referral_events_pb2 import ReferralRecorded, ReferralWithdrawn
from lead.review.v1 import review_pb2 as pb
from lead.review.v1 import review_service_pb2 as service
from sqlalchemy import MetaData

from services.review.models import CONSUMER
from services.shared.db import Database, make_engine
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.outbox import outbox_table
from services.shared.events.publisher import OutgoingEvent, Publisher
from services.shared.events.relay import Relay
from tests.integration.review.office import CASE_MANAGERS, OFFICE, POLICE, Office, a_charge, a_referral
from tests.support.clock import NOON
from tests.support.keys import FakeConsent
from tests.support.log import FakeLog

_ROUTED = (words_pb2.CATEGORY_REFERRAL, words_pb2.CATEGORY_CHARGE, words_pb2.CATEGORY_ELIGIBILITY)


class _County:
    """Police and case managers that publish, a log between, and the office's consumer."""

    def __init__(self, office: Office) -> None:
        self.office, self.consent, self._log = office, FakeConsent(), FakeLog()
        metadata = MetaData()
        self._outbox = outbox_table(metadata)
        self._engine = make_engine("sqlite://")
        metadata.create_all(self._engine)
        self._db = Database(self._engine)
        self._relay = Relay(self._db, self._outbox, self._log, lambda _kind, _body: None, office.clock)
        self.loop = ConsumerLoop(
            Consumer(
                area="review",
                topics=("referral", "casework"),
                reader=self._log.reader(),
                db=office.db,
                tables=CONSUMER,
                keys=self.consent,
                session=self.consent.session,
                handlers=office.handlers,
                clock=office.clock,
            )
        )

    def publish(self, topic: str, message: Message, record_id: str, source: str, version: int = 1) -> None:
        clock, ids = self.office.clock, self.office.ids
        publisher = Publisher(topic, self._outbox, self.consent.sealing(topic), clock, ids)
        prepared = publisher.prepare([OutgoingEvent(message, record_id, "sub_1", source, version)])
        with self._db.write() as connection:
            prepared.put(connection)
        self._relay.run_once()

    def refer(self, message: Message, version: int = 1) -> None:
        self.publish("referral", message, "ref_1", POLICE, version)

    def confirm(self) -> None:
        message = IntakeConfirmed()
        message.intake_confirmed_time.FromDatetime(NOON + timedelta(days=20))
        self.publish("casework", message, "par_1", CASE_MANAGERS)

    def route(self, *categories: int) -> None:
        for category in categories or _ROUTED:
            self.consent.allow(category, OFFICE)

    def reviews(self) -> list[pb.Review]:
        while self.loop.run_once():
            pass
        assert not self.loop.poisoned()
        with self.office.calling():
            answer = self.office.servicer.ListReviews(service.ListReviewsRequest(), None)  # type: ignore[arg-type]
        return list(answer.reviews)

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def county(office: Office) -> Iterator[_County]:
    running = _County(office)
    yield running
    running.close()


def test_a_routed_referral_is_reviewed(county: _County) -> None:
    county.route()
    county.refer(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    [review] = county.reviews()
    assert [charge.referred.statute for charge in review.charges] == ["RCW 9A.56.050"] * 2


def test_what_is_not_routed_yet_is_reviewed_once_it_is(county: _County) -> None:
    county.refer(a_referral())
    assert county.reviews() == []
    county.route()
    assert [review.referral_id for review in county.reviews()] == ["ref_1"]


@pytest.mark.parametrize("first", _ROUTED)
def test_sections_that_are_released_one_after_the_other_make_one_review(county: _County, first: int) -> None:
    county.route(first)
    county.refer(a_referral(a_charge("chg_1"), a_charge("chg_2")))
    county.reviews()
    county.route()
    [review] = county.reviews()
    assert len(review.charges) == 2


def test_a_release_that_is_signed_after_the_intake_still_tells_the_office_of_it(county: _County) -> None:
    county.route()
    county.refer(a_referral())
    county.confirm()
    [before] = county.reviews()
    assert not before.HasField("confirmation")
    county.consent.allow(words_pb2.CATEGORY_PROGRAM_STATUS, OFFICE)
    [after] = county.reviews()
    assert after.confirmation.reference.source_agency_id == CASE_MANAGERS
    after.ClearField("confirmation")
    assert after == before


def test_a_confirmation_waits_for_its_review(county: _County) -> None:
    county.consent.allow(words_pb2.CATEGORY_PROGRAM_STATUS, OFFICE)
    county.confirm()
    assert county.reviews() == []
    county.route()
    county.refer(a_referral())
    assert county.reviews()[0].HasField("confirmation")


def test_a_withdrawal_and_a_later_version_are_applied_in_order(county: _County) -> None:
    county.route()
    county.refer(a_referral())
    withdrawn = ReferralWithdrawn()
    withdrawn.withdrawn_time.FromDatetime(NOON)
    county.refer(withdrawn, version=2)
    assert county.reviews()[0].state == pb.REVIEW_STATE_WITHDRAWN
    county.refer(a_referral(), version=1)
    assert county.reviews()[0].state == pb.REVIEW_STATE_WITHDRAWN
    county.refer(a_referral(), version=3)
    assert county.reviews()[0].state == pb.REVIEW_STATE_OPEN


def test_an_event_without_anything_of_the_office_makes_no_review(county: _County) -> None:
    county.route()
    county.refer(ReferralRecorded(site_id="sample-site"))
    assert county.reviews() == []
