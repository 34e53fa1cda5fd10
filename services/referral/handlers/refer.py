"""An officer names the person of an imported incident: the candidate becomes a referral like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lead.referral.v1 import referral_service_pb2 as service
from sqlalchemy import Connection

from services.referral import store_incidents, validate
from services.referral.convert_incident import draft_of
from services.referral.domain import Referral, check_etag
from services.referral.handlers.desk import Desk
from services.referral.handlers.record import Also, record
from services.referral.handlers.submit import earlier_of, result_of, settling, submission
from services.referral.incident import Incident
from services.referral.records import Plan
from services.referral.scope import require_police
from services.referral.store import ChangedMeanwhileError
from services.shared.db.idempotency import Key
from services.shared.errors import aborted, not_found
from services.shared.sharing.assertion import Caller


def refer(desk: Desk, caller: Caller, request: service.ReferIncidentRequest, key: Key | None) -> Referral:
    """Make a referral of an incident of the own agency; its natural key is the report's, its charges are the report's.

    Raises NOT_FOUND, INVALID_ARGUMENT, ABORTED, and ALREADY_EXISTS when it was referred before with other facts.
    """
    require_police(caller)
    earlier = earlier_of(desk, caller, key)
    if earlier is not None:
        return earlier
    with desk.db.read() as connection:
        incident = store_incidents.find(connection, request.id, caller.agency_id)
    if incident is None:
        raise not_found()
    setting = desk.setting(caller)
    draft = draft_of(request, incident)
    validate.referred(request, draft, setting)
    check_etag(request.etag, incident.etag)
    sent = submission(draft, caller, setting.now)
    sent = replace(sent, draft=replace(sent.draft, charges=incident.charges), subject_id=incident.subject_id)
    (plan,) = record(desk, caller.agency_id, [sent], _noting(incident, settling(key)))
    return result_of(plan)


def _noting(incident: Incident, settle: Also) -> Also:
    def note(connection: Connection, plans: Sequence[Plan], at: datetime) -> None:
        settle(connection, plans, at)
        referral = result_of(plans[0])
        if incident.referral_id == referral.id:
            return
        named = replace(incident, referral_id=referral.id, revision=incident.revision + 1)
        try:
            store_incidents.put(connection, incident, named, at)
        except ChangedMeanwhileError:
            # Not to be tried again: the report has changed under the officer's hands.
            raise aborted("The record has changed since it was read. Read it again.") from None

    return note
