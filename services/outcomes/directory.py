"""What the registry of agencies says that matters here: who evaluates a site, and who reports justice events."""

from __future__ import annotations

from collections.abc import Collection

from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse
from lead.options.v1 import words_pb2

_REPORTING = frozenset({words_pb2.AGENCY_KIND_POLICE, words_pb2.AGENCY_KIND_JAIL, words_pb2.AGENCY_KIND_COURT})


def evaluators(registry: ReadRegistryResponse, site_id: str) -> tuple[str, ...]:
    """Return the evaluator agencies of a site, sorted."""
    return _of_kind(registry, words_pb2.AGENCY_KIND_EVALUATOR, site_id)


def offices(registry: ReadRegistryResponse, site_id: str) -> tuple[str, ...]:
    """Return the programme offices of a site, sorted."""
    return _of_kind(registry, words_pb2.AGENCY_KIND_PROGRAM_OFFICE, site_id)


def reporting(registry: ReadRegistryResponse, site_ids: Collection[str]) -> frozenset[str]:
    """Return the police agencies, jails and courts of these sites."""
    return frozenset(
        each.agency_id for each in registry.agencies if each.kind in _REPORTING and set(each.site_ids) & set(site_ids)
    )


def _of_kind(registry: ReadRegistryResponse, kind: int, site_id: str) -> tuple[str, ...]:
    return tuple(sorted(each.agency_id for each in registry.agencies if each.kind == kind and site_id in each.site_ids))
