"""Incident candidates between the wire and the domain."""

from __future__ import annotations

from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import convert
from services.referral.convert_referral import reference, screening_to_wire
from services.referral.draft import NIBRS
from services.referral.incident import Incident, Result, key_text
from services.shared.errors import Violation
from services.shared.wire import Words, filled

OUTCOMES = Words(service.ImportOutcome, "IMPORT_OUTCOME_")
# What an officer adds to a candidate, by the same names as in a draft.
_NAMED = frozenset({"site_id", "door", "narrative", "referral_time", "person", "contact", "officer", "victim"})


def incident_to_wire(incident: Incident) -> pb.Incident:
    """Return the whole candidate; its purge time tells how long it can still be referred."""
    message = pb.Incident(
        reference=reference(incident.subject_id, incident.agency_id, incident.id),
        charges=[convert.charge_to_wire(each) for each in incident.charges],
        screening=screening_to_wire(incident.screening),
    )
    return filled(
        message,
        id=incident.id,
        agency_ori=incident.ori,
        report_category=incident.report_category,
        incident_number=incident.number,
        sequence=_place(incident.sequence),
        version=incident.version,
        incident_time=incident.incident_time,
        age_min=incident.age_min,
        age_max=incident.age_max,
        purge_time=incident.purge_at,
        referral_id=incident.referral_id,
        etag=incident.etag,
    )


def result_to_wire(result: Result) -> service.ImportResult:
    """Return what became of one person of one report."""
    return filled(
        service.ImportResult(violations=[violation_to_wire(each) for each in result.violations]),
        record_key=result.record_key,
        outcome=OUTCOMES.number(result.outcome),
        incident_id=result.incident_id,
    )


def violation_to_wire(violation: Violation) -> service.Violation:
    """Return a wrong field and what would be right."""
    return service.Violation(path=violation.path, wish=violation.wish)


def draft_of(request: service.ReferIncidentRequest, incident: Incident) -> pb.ReferralDraft:
    """Return the draft that naming the person makes of an incident, but for its charges, which are the incident's."""
    draft = pb.ReferralDraft(
        source=pb.Source(system=NIBRS, record_id=key_text(incident.key), version=incident.version),
        agency_ori=incident.ori,
        incident_number=incident.number,
        observations=request.observations,
        attestations=request.attestations,
    )
    given = {field.name: value for field, value in request.ListFields() if field.name in _NAMED}
    return filled(draft, incident_time=incident.incident_time, **given)


def _place(sequence: str) -> int | None:
    digits = sequence.rpartition("-")[2]
    return int(digits) if digits.isdigit() else None
