"""A running review area but for its edges: events come opened, consent and the log are fakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message
from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.referral.v1 import referral_events_pb2 as events
from lead.referral.v1 import referral_pb2
from lead.review.v1.review_events_pb2 import ChargeDecided
from sqlalchemy import Connection

from services.review import consumers
from services.review.handlers import Desk
from services.review.models import CIPHER, METADATA
from services.review.servicer import ReviewServicer
from services.shared.area import Fact
from services.shared.events.delivery import Delivery, OpenedPart
from services.shared.events.split import Part, split
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.sharing.assertion import Caller
from tests.support.clock import NOON, FakeClock
from tests.support.parts import fake_parts

T = TypeVar("T")

OFFICE, OTHER_OFFICE = "sample-county-prosecutor", "sample-city-attorney"
POLICE, CASE_MANAGERS = "sample-city-police", "sample-case-management"
DUE = NOON + timedelta(days=30)
PROSECUTOR = Caller("acc_prosecutor", OFFICE, "prosecutor", "prosecutor", "DIVERSION_COORD")
OTHER_PROSECUTOR = Caller("acc_attorney", OTHER_OFFICE, "prosecutor", "prosecutor", "DIVERSION_COORD")


class Office:
    """The area, its clock, what it announced, and what other areas tell it."""

    def __init__(self, folder: Path) -> None:
        """Make an empty database in the folder, by the migrations."""
        CIPHER.load(bytes(range(32)))
        self.clock = FakeClock()
        self.parts = fake_parts(folder, "review", METADATA, self.clock)
        self.db, self.ids = self.parts.db, self.parts.ids
        self.facts: list[Fact] = []
        self.servicer = ReviewServicer(Desk(db=self.db, commit=self.commit, clock=self.clock, ids=self.ids))
        self.handlers = consumers.handlers(self.clock, self.ids)

    def close(self) -> None:
        """End what runs."""
        self.parts.relay.stop()
        self.db.engine.dispose()

    def commit(self, facts: Sequence[Fact], write: Callable[[Connection], T]) -> T:
        """Commit as the area does, and remember what was announced."""
        done = self.parts.commit(facts, write)
        self.facts += facts
        return done

    def decided(self) -> list[ChargeDecided]:
        """Return what was announced of decisions."""
        return [fact.message for fact in self.facts if isinstance(fact.message, ChargeDecided)]

    def tell(
        self,
        message: Message,
        record_id: str = "ref_1",
        version: int = 1,
        agencies: Collection[str] = (OFFICE,),
        *,
        late: bool = False,
        only: Callable[[Part], bool] = lambda _part: True,
        **beside: Any,
    ) -> None:
        """Deliver an event as the consumer loop does, with the parts that `only` lets through opened for `agencies`."""
        parts = tuple(
            OpenedPart(part.category, part.record_id, part.payload, frozenset(agencies), "", 0)
            for part in split(message, record_id)
            if only(part)
        )
        known = {"source_agency_id": POLICE, "subject_id": "sub_1", **beside}
        delivery = Delivery(
            message_class=type(message),
            event_id=self.ids.new("evt"),
            topic="referral",
            record_id=record_id,
            version=version,
            time=self.clock.now(),
            parts=known.pop("parts", parts),
            late=late,
            **known,
        )
        with self.db.write() as connection:
            self.handlers[delivery.event_name].apply(connection, delivery)

    def confirm(self, subject_id: str = "sub_1", version: int = 1, agencies: Collection[str] = (OFFICE,)) -> None:
        """Deliver that an intake is complete, opened under a consent."""
        message = IntakeConfirmed()
        message.intake_confirmed_time.FromDatetime(NOON + timedelta(days=version))
        message.working_as_of_time.FromDatetime(NOON + timedelta(days=version))
        part = split(message, "par_1")[0]
        opened = OpenedPart(part.category, "", part.payload, frozenset(agencies), "con_1", 3)
        self.tell(
            message,
            "par_1",
            version,
            subject_id=subject_id,
            source_agency_id=CASE_MANAGERS,
            parts=(opened,),
        )

    def calling(self, caller: Caller = PROSECUTOR) -> AbstractContextManager[None]:
        """Act as this caller."""
        return acting(caller, RequestInfo("req_1", "gateway"))


def a_referral(
    *charges: events.RoutedCharge, due: datetime | None = DUE, door: str = "ARREST_DIVERSION"
) -> events.ReferralRecorded:
    """Return a referral as police announce it, with one charge unless a test says otherwise."""
    message = events.ReferralRecorded(
        site_id="sample-site",
        door=referral_pb2.Door.Value(f"DOOR_{door}"),
        incident_number="2026-000123",
        state=referral_pb2.REFERRAL_STATE_SUBMITTED,
        person=referral_pb2.Person(given_name="Testa", family_name="Sample"),
        charges=charges or (a_charge(),),
        screening_result=referral_pb2.SCREENING_RESULT_ELIGIBLE,
        screening_rules=["felony-limit"],
        policy_version="3",
        narrative="A made-up story.",
    )
    message.referral_time.FromDatetime(NOON)
    if due is not None:
        message.intake_due_time.FromDatetime(due)
    return message


def a_charge(charge_id: str = "chg_1", office_id: str = OFFICE, **changes: Any) -> events.RoutedCharge:
    """Return a charge that is routed to an office."""
    facts = {"statute": "RCW 9A.56.050", "level": referral_pb2.CHARGE_LEVEL_GROSS_MISDEMEANOR, **changes}
    return events.RoutedCharge(id=charge_id, office_id=office_id, **facts)
