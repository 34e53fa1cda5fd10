"""A registry of made-up agencies, as consent gives it."""

from __future__ import annotations

from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse, RegisteredAgency
from lead.options.v1 import words_pb2

from tests.unit.casework.builders import POLICE, SITE

JAIL, PRISON, OFFICE = "sample-jail", "sample-prison", "sample-office"
FAR_SITE, FAR_POLICE, FAR_OFFICE = "santa-fe", "sample-santa-fe-police", "sample-santa-fe-office"
# Of a site that nobody runs the programme at.
LONELY_POLICE = "sample-lonely-police"


def a_registry() -> ReadRegistryResponse:
    """Return two sites with their offices, a prison that takes part in both, and a site without an office."""
    police, jail, office = (
        words_pb2.AGENCY_KIND_POLICE,
        words_pb2.AGENCY_KIND_JAIL,
        words_pb2.AGENCY_KIND_PROGRAM_OFFICE,
    )
    agencies = (
        (POLICE, police, (SITE,)),
        (JAIL, jail, (SITE,)),
        (PRISON, jail, ("lonely", SITE, FAR_SITE)),
        (OFFICE, office, (SITE,)),
        (FAR_POLICE, police, (FAR_SITE,)),
        (FAR_OFFICE, office, (FAR_SITE,)),
        (LONELY_POLICE, police, ("lonely",)),
    )
    return ReadRegistryResponse(
        agencies=[RegisteredAgency(agency_id=name, kind=kind, site_ids=sites) for name, kind, sites in agencies]
    )
