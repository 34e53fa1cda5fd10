"""What the linker opens of other areas' events, in nobody's name (matrix row 41): IDENTITY and nothing else.

What was opened for an agency is not looked at here: it was opened for that agency's eyes. That a referral was withdrawn
is no IDENTITY, so it is not known here; its person stays who he is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lead.options.v1 import words_pb2
from lead.outcomes.v1.outcomes_events_pb2 import ComparisonRegistered
from lead.referral.v1.justice_events_pb2 import JusticeEventReported
from lead.referral.v1.referral_events_pb2 import ReferralRecorded
from sqlalchemy import Connection

from services.casework.index import hearing
from services.casework.index.people import JUSTICE_EVENT, REFERRAL, Record
from services.casework.index.tokens import Marks, Named, Tokens
from services.shared.events.delivery import NO_AGENCY, AnyHandler, Delivery, Handler
from services.shared.ids import Ids


class Linker:
    """Takes in what may be of somebody who is known, or will be."""

    def __init__(self, tokens: Tokens, ids: Ids, nudge: Callable[[], object] = lambda: None) -> None:
        """`nudge` is called when there may be something to publish."""
        self._tokens, self._ids, self._nudge = tokens, ids, nudge

    def handlers(self) -> Mapping[str, AnyHandler]:
        """Return the handlers by event name."""
        return {
            ReferralRecorded.DESCRIPTOR.name: Handler(ReferralRecorded, self.referral_recorded),
            JusticeEventReported.DESCRIPTOR.name: Handler(JusticeEventReported, self.justice_event_reported),
            ComparisonRegistered.DESCRIPTOR.name: Handler(ComparisonRegistered, self.comparison_registered),
        }

    def referral_recorded(self, connection: Connection, delivery: Delivery[ReferralRecorded]) -> None:
        """Know the person of a referral, or know him better."""
        if not _is_told(delivery):
            return
        person = delivery.message_for(NO_AGENCY).person
        named = Named(person.given_name, person.family_name, person.birth_date)
        local_ids = [(each.agency_id, each.id) for each in person.local_ids]
        self._hear(connection, delivery, REFERRAL, named, self._tokens.marks(named, local_ids))

    def justice_event_reported(self, connection: Connection, delivery: Delivery[JusticeEventReported]) -> None:
        """Hear of an event, of somebody who is counted or of a stranger; without a person it matches nobody."""
        if not _is_told(delivery):
            return
        said, agency = delivery.message_for(NO_AGENCY), delivery.source_agency_id
        named = Named(said.given_name, said.family_name, said.birth_date)
        record = self._tokens.record(agency, said.source_system, said.source_record_id)
        marks = self._tokens.marks(named, [(agency, said.local_id)], [record])
        self._hear(connection, delivery, JUSTICE_EVENT, named, marks)

    def comparison_registered(self, connection: Connection, delivery: Delivery[ComparisonRegistered]) -> None:
        """Count the person of a justice event, which may have been heard of or not."""
        if not _is_told(delivery):
            return
        said = delivery.message_for(NO_AGENCY)
        token = self._tokens.record(said.agency_id, said.system, said.record_id)
        if hearing.hear_entry(connection, delivery.record_id, token, delivery.version, self._ids):
            self._nudge()

    def _hear(self, connection: Connection, delivery: Delivery[Any], kind: str, named: Named, marks: Marks) -> None:
        record = Record(
            id=delivery.record_id,
            kind=kind,
            subject_id=delivery.subject_id,
            agency_id=delivery.source_agency_id,
            version=delivery.version,
            heard_at=delivery.time,
            marks=marks,
        )
        if hearing.hear(connection, record, named, self._ids):
            self._nudge()


def _is_told(delivery: Delivery[Any]) -> bool:
    """Tell whether the person was opened in nobody's name; no other section says anything of him."""
    return any(part.category == words_pb2.CATEGORY_IDENTITY for part in delivery.parts_for(NO_AGENCY))
