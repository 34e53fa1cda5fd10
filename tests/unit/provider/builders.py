"""Records of providers with valid defaults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from lead.provider.v1 import provider_pb2 as pb

from services.provider.domain.answer import Answer
from services.provider.domain.enrolment import Draft, Enrolment
from services.provider.domain.records import Spell
from services.provider.domain.request import Request
from services.provider.domain.service import Service
from services.shared.ids import Ids
from services.shared.wire import stamp
from tests.support.clock import NOON

OUTREACH, TREATMENT, HOUSING, SHELTER = "sample-outreach", "sample-treatment", "sample-housing", "sample-safe-house"
SITE = "seattle"
_IDS = Ids()
SUBJECT, PARTICIPANT = _IDS.new("sub"), _IDS.new("par")
REFERRAL, SERVICE, ENROLMENT = _IDS.new("srf"), _IDS.new("srv"), _IDS.new("enr")
BEGUN = NOON - timedelta(days=3)


def a_service(**changes: Any) -> Service:
    """Return an open one of a treatment program."""
    defaults: dict[str, Any] = {
        "id": SERVICE,
        "agency_id": TREATMENT,
        "agency_kind": "sud_treatment",
        "name": "Sample Day Program",
        "kind": "SUBSTANCE_USE_TREATMENT",
        "site_ids": (SITE,),
    }
    return Service(**(defaults | changes))


def a_request(**changes: Any) -> Request:
    """Return one that was just made."""
    defaults: dict[str, Any] = {
        "id": REFERRAL,
        "subject_id": SUBJECT,
        "agency_id": OUTREACH,
        "provider_agency_id": TREATMENT,
        "provider_kind": "sud_treatment",
        "service_id": SERVICE,
        "site_id": SITE,
        "participant_id": PARTICIPANT,
        "needs": ("TREATMENT",),
        "requested_at": NOON,
        "spells": (Spell(state="REQUESTED", since=NOON),),
        "changed_at": NOON,
    }
    return Request(**(defaults | changes))


def an_answer(**changes: Any) -> Answer:
    """Return one that says nothing yet."""
    defaults: dict[str, Any] = {
        "referral_id": REFERRAL,
        "agency_id": TREATMENT,
        "spells": (Spell(state="RECEIVED", since=NOON),),
        "changed_at": NOON,
    }
    return Answer(**(defaults | changes))


def an_enrolment(**changes: Any) -> Enrolment:
    """Return one that has begun, of a record without a version."""
    defaults: dict[str, Any] = {
        "id": ENROLMENT,
        "subject_id": SUBJECT,
        "agency_id": TREATMENT,
        "agency_kind": "sud_treatment",
        "service_id": SERVICE,
        "service_referral_id": REFERRAL,
        "participant_id": PARTICIPANT,
        "system": "ehr",
        "record_id": "R-1",
        "source_version": None,
        "digest": "first",
        "status": "ENROLLED",
        "started_at": BEGUN,
        "ended_at": None,
        "changed_at": NOON,
    }
    return Enrolment(**(defaults | changes))


def a_draft(**changes: Any) -> Draft:
    """Return what a provider writes of somebody who was referred."""
    defaults: dict[str, Any] = {
        "service_id": SERVICE,
        "service_referral_id": REFERRAL,
        "system": "ehr",
        "record_id": "R-1",
        "status": "ENROLLED",
        "started_at": BEGUN,
    }
    return Draft(**(defaults | changes))


def a_wire_draft(**changes: Any) -> pb.EnrollmentDraft:
    """Return the same on the wire."""
    defaults: dict[str, Any] = {
        "service_id": SERVICE,
        "service_referral_id": REFERRAL,
        "source": pb.EnrollmentSourceDraft(system="ehr", record_id="R-1", version=1),
        "status": pb.ENROLLMENT_STATUS_ENROLLED,
        "start_time": a_stamp(),
    }
    return pb.EnrollmentDraft(**{name: each for name, each in (defaults | changes).items() if each is not None})


def a_stamp(days: float = -3) -> Timestamp:
    """Return a time so many days from now, as the wire has it."""
    return stamp(NOON + timedelta(days=days))
