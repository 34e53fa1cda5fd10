"""What other areas' events change here, one function per event. Each may come twice, late, or in parts."""

from __future__ import annotations

from collections.abc import Mapping

from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.referral.v1.referral_events_pb2 import ReferralRecorded, ReferralWithdrawn
from sqlalchemy import Connection

from services.review import convert_events, received, store
from services.review.opened import Opened, begun, followed, left, merged
from services.shared.clock import Clock
from services.shared.events.delivery import AnyHandler, Delivery, Handler
from services.shared.ids import Ids

# A newer referral replaces an older withdrawal and the other way round.
_REFERRALS = "lead.referral.v1.Referral"


def handlers(clock: Clock, ids: Ids) -> Mapping[str, AnyHandler]:
    """Return the handlers by event name."""
    follower = _Follower(clock, ids)
    found: tuple[AnyHandler, ...] = (
        Handler(ReferralRecorded, follower.referral_recorded, series=_REFERRALS),
        Handler(ReferralWithdrawn, follower.referral_withdrawn, series=_REFERRALS),
        # A release that names another office may be signed later.
        Handler(IntakeConfirmed, follower.intake_confirmed, for_later_agencies=True),
    )
    return {each.message_class.DESCRIPTOR.name: each for each in found}


class _Follower:
    """Keeps the offices' reviews in step with what other agencies tell each of them."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids

    def referral_recorded(self, connection: Connection, delivery: Delivery[ReferralRecorded]) -> None:
        """Begin and update the reviews of the offices that its charges are routed to."""
        for office_id in delivery.agencies:
            self._follow(connection, convert_events.opened_from_wire(delivery, office_id))
        if not delivery.late:
            self._leave(connection, delivery)

    def referral_withdrawn(self, connection: Connection, delivery: Delivery[ReferralWithdrawn]) -> None:
        """End the reviews that are not decided yet. One that could not be opened so far does not begin."""
        for office_id in delivery.agencies:
            self._follow(connection, convert_events.withdrawn_from_wire(delivery, office_id))

    def intake_confirmed(self, connection: Connection, delivery: Delivery[IntakeConfirmed]) -> None:
        """Keep the two facts by subject: the review may begin later, and nothing else in it depends on them."""
        for office_id in delivery.agencies:
            news = convert_events.confirmation_from_wire(delivery, office_id, self._clock.now())
            received.put_confirmation(connection, news)

    def _follow(self, connection: Connection, news: Opened) -> None:
        known = merged(received.opened(connection, news.referral_id, news.office_id), news)
        received.put_opened(connection, known)
        review = store.of_office(connection, news.referral_id, news.office_id)
        if review is not None:
            store.save(connection, review, followed(review, known), self._clock.now())
            return
        new = begun(known, self._ids.new)
        if new is not None:
            store.add(connection, new, self._clock.now())

    def _leave(self, connection: Connection, delivery: Delivery[ReferralRecorded]) -> None:
        """Take charges from offices that they are no longer routed to, which may not open the version that says so."""
        charges = delivery.message.charges
        for review in store.of_referral(connection, delivery.record_id):
            if not charges or review.office_id in delivery.agencies or review.referral_version >= delivery.version:
                continue
            remaining = {charge.id for charge in charges if charge.office_id == review.office_id}
            store.save(connection, review, left(review, remaining), self._clock.now())
