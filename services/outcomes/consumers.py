"""What other areas' events change here, one function per event. Each may come twice, late, and in any order.

Only LINKED_RESEARCH sections are opened, for evaluators with a registered approval (matrix row 36). What was opened
for one agency is kept apart from what was opened for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from google.protobuf.message import Message
from lead.casework.v1.casework_events_pb2 import HandoffMeasured, IntakeConfirmed, StudyLinked
from lead.referral.v1.justice_events_pb2 import JusticeEventReported, JusticeFeedDeclared
from lead.referral.v1.referral_events_pb2 import ReferralFollowed
from sqlalchemy import Connection

from services.outcomes import convert, store
from services.outcomes.models import FEEDS, HANDOFFS, INTAKES, JUSTICE_EVENTS, LINKS, REFERRALS
from services.shared.clock import Clock
from services.shared.events.delivery import AnyHandler, Delivery, Handler

M = TypeVar("M", bound=Message)
TOPICS = ("referral", "casework")


class NoApprovalError(Exception):
    """A research section was opened without an approval: it is not kept, and somebody must look why."""


def handlers(clock: Clock) -> Mapping[str, AnyHandler]:
    """Return the handlers by event name."""
    follower = _Follower(clock)
    # An approval for another evaluator may be registered later.
    found: tuple[AnyHandler, ...] = (
        Handler(ReferralFollowed, follower.referral_followed, for_later_agencies=True),
        Handler(JusticeEventReported, follower.justice_event_reported, for_later_agencies=True),
        Handler(JusticeFeedDeclared, follower.justice_feed_declared, for_later_agencies=True),
        Handler(IntakeConfirmed, follower.intake_confirmed, for_later_agencies=True),
        Handler(HandoffMeasured, follower.handoff_measured, for_later_agencies=True),
        Handler(StudyLinked, follower.study_linked, for_later_agencies=True),
    )
    return {each.message_class.DESCRIPTOR.name: each for each in found}


class _Follower:
    """Keeps what counting needs of each event, for each evaluator it was opened for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def referral_followed(self, connection: Connection, delivery: Delivery[ReferralFollowed]) -> None:
        """Keep a referral's door, clock, screening, offer and approval."""
        for message, row in self._opened(delivery):
            store.put(connection, REFERRALS, row | convert.referral_row(delivery, message))

    def justice_event_reported(self, connection: Connection, delivery: Delivery[JusticeEventReported]) -> None:
        """Keep when something happened to somebody; whom it happened to only a link says."""
        for message, row in self._opened(delivery):
            store.put(connection, JUSTICE_EVENTS, row | convert.justice_row(delivery, message))

    def justice_feed_declared(self, connection: Connection, delivery: Delivery[JusticeFeedDeclared]) -> None:
        """Keep from when until when an agency's feed is complete."""
        for message, row in self._opened(delivery):
            store.put(connection, FEEDS, row | convert.feed_row(message))

    def intake_confirmed(self, connection: Connection, delivery: Delivery[IntakeConfirmed]) -> None:
        """Keep when an intake was complete, and nothing else that the event says."""
        for message, row in self._opened(delivery):
            if message.HasField("study_intake_time"):
                store.put(connection, INTAKES, row | convert.intake_row(delivery, message))

    def handoff_measured(self, connection: Connection, delivery: Delivery[HandoffMeasured]) -> None:
        """Keep how long a hand-off took."""
        for message, row in self._opened(delivery):
            store.put(connection, HANDOFFS, row | convert.handoff_row(delivery, message))

    def study_linked(self, connection: Connection, delivery: Delivery[StudyLinked]) -> None:
        """Keep that a record belongs to a study id, and the entry that it was registered for."""
        for message, row in self._opened(delivery):
            store.put(connection, LINKS, row | convert.link_row(message))

    def _opened(self, delivery: Delivery[M]) -> Iterator[tuple[M, convert.Row]]:
        """Yield, for each evaluator, what it may know and what each row says of its opening. Raises NoApprovalError."""
        for agency_id in delivery.agencies:
            row = convert.opened(delivery, agency_id, self._clock.now())
            if row is None:
                raise NoApprovalError
            yield delivery.message_for(agency_id), row
