"""What casework tells of a participant, for the provider that a service referral is addressed to (matrix row 11).

May come twice, late, or in parts: a release is often signed after the event, and names one category and not another.
"""

from __future__ import annotations

from collections.abc import Mapping

from lead.casework.v1.casework_events_pb2 import ParticipantRecorded
from sqlalchemy import Connection

from services.provider import convert, store_told
from services.shared.clock import Clock
from services.shared.events.delivery import AnyHandler, Delivery, Handler

TOPICS = ("casework",)


def handlers(clock: Clock) -> Mapping[str, AnyHandler]:
    """Return the handlers by event name."""

    def participant_recorded(connection: Connection, delivery: Delivery[ParticipantRecorded]) -> None:
        """Keep each category as it was opened for each provider: what another may know of him is not for this one."""
        for agency_id in delivery.agencies:
            for category, facts in convert.told_parts(delivery.message_for(agency_id)):
                store_told.put_part(connection, delivery, agency_id, category, facts, clock.now())

    # A release that names another provider may be signed later.
    told = Handler(ParticipantRecorded, participant_recorded, for_later_agencies=True)
    return {ParticipantRecorded.DESCRIPTOR.name: told}
