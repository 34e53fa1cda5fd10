"""What other areas' events change here, one function per event. Each may come twice, late, or in parts.

A withdrawn referral is not told: consent ends the view of its request, and the case manager sees who is there. What the
linker opens in nobody's name is in `index/consumers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from lead.referral.v1.referral_events_pb2 import HandoffRequested
from sqlalchemy import Connection

from services.casework import convert, store
from services.casework.domain import Handoff
from services.casework.index.consumers import Linker
from services.shared.events.delivery import NO_AGENCY, AnyHandler, Delivery, Handler
from services.shared.wire import moment


def handlers(linker: Linker) -> Mapping[str, AnyHandler]:
    """Return the handlers by event name, the linker's among them."""
    return {HandoffRequested.DESCRIPTOR.name: Handler(HandoffRequested, handoff_requested), **linker.handlers()}


def handoff_requested(connection: Connection, delivery: Delivery[HandoffRequested]) -> None:
    """Open the hand-off for the agency that was dispatched, and keep what the officer told it.

    Each category is kept as it was opened for that agency; without its facts there is no hand-off yet.
    """
    # What the linker may open of it is no agency's to see.
    agencies = [agency_id for agency_id in delivery.agencies if agency_id != NO_AGENCY]
    for agency_id in agencies:
        message = delivery.message_for(agency_id)
        if message.dispatch_agency_id == agency_id:
            store.put_requested(connection, _requested(delivery, message), delivery.version)
    dispatched = store.dispatched_agency(connection, delivery.record_id)
    for agency_id in agencies:
        # One person may have several hand-offs: what another agency may know of him is not for this one.
        if dispatched in (None, agency_id):
            for category, content in convert.request_parts(delivery.message_for(agency_id)):
                store.put_part(connection, delivery, agency_id, category, content)


def _requested(delivery: Delivery[HandoffRequested], message: HandoffRequested) -> Handoff:
    return Handoff(
        id=delivery.record_id,
        subject_id=delivery.subject_id,
        agency_id=message.dispatch_agency_id,
        source_agency_id=delivery.source_agency_id,
        site_id=message.site_id,
        requested_at=delivery.time,
        called_at=moment(message, "call_time"),
        window_ends_at=moment(message, "window_end_time"),
        intake_due_at=moment(message, "intake_due_time"),
    )
