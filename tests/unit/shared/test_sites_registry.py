"""The development registry: made up, complete, and true to the contract's words."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

import pytest
from lead.options.v1 import words_pb2

from services.shared.ids import is_id
from services.shared.places import site_packs
from services.shared.sites import load_sites

REGISTRY: dict[str, Any] = tomllib.loads((site_packs() / "agencies.toml").read_text(encoding="utf-8"))
AGENCIES = {agency["slug"]: agency for agency in REGISTRY["agencies"]}
SITES = load_sites(site_packs())

PROVIDERS = {"sud_treatment", "mental_health", "health_care", "ems", "housing", "job_training", "victim_services"}
# matrix.md, Roles: any other pair is refused at sign-in.
KINDS_OF_ROLE = {
    "police_officer": {"police"},
    "police_rms": {"police", "jail", "court"},
    "police_liaison": {"police"},
    "prosecutor": {"prosecutor"},
    "defender": {"defender"},
    "case_manager": {"case_management"},
    "case_supervisor": {"case_management"},
    "provider_staff": PROVIDERS,
    "provider_system": PROVIDERS,
    "program_manager": {"program_office"},
    "evaluator": {"evaluator"},
    "auditor": {"auditor"},
    "operator": {"operator"},
}


def _words(enum: Any, prefix: str) -> set[str]:
    return {value.name.removeprefix(prefix).lower() for value in enum.DESCRIPTOR.values} - {"unspecified"}


def test_every_kind_of_agency_is_there_and_no_other() -> None:
    assert {agency["kind"] for agency in AGENCIES.values()} == _words(words_pb2.AgencyKind, "AGENCY_KIND_")
    assert len(AGENCIES) == len(REGISTRY["agencies"])


def test_agencies_use_the_contracts_words_and_are_plainly_made_up() -> None:
    for agency in AGENCIES.values():
        assert agency["part2_program"] in _words(words_pb2.Part2Program, "PART2_PROGRAM_")
        assert agency["hipaa"] in _words(words_pb2.Hipaa, "HIPAA_")
        assert set(agency["sites"]) <= SITES.keys()
        assert agency["sites"]
        assert agency["slug"].startswith("sample-")
        assert agency["name"].startswith("Sample ")
        assert bool(agency.get("oris")) is (agency["kind"] == "police")


def test_agency_identifiers_of_police_are_unique() -> None:
    oris = [ori for agency in AGENCIES.values() for ori in agency.get("oris", [])]
    assert len(oris) == len(set(oris))
    assert oris


def test_case_management_comes_with_and_without_a_part_2_program() -> None:
    seattle = [a for a in AGENCIES.values() if a["kind"] == "case_management" and "seattle" in a["sites"]]
    assert Counter(agency["part2_program"] for agency in seattle) == {"no": 2, "yes": 1}
    assert AGENCIES["sample-treatment"]["part2_program"] == "yes"


def test_accounts_have_an_owner_an_end_and_roles_of_their_agencys_kind() -> None:
    accounts = REGISTRY["accounts"]
    assert len({account["id"] for account in accounts}) == len(accounts)
    for account in accounts:
        assert is_id(account["id"], "acc")
        assert account["owner"]
        assert account["expires"].tzinfo is not None
        kind = AGENCIES[account["agency"]]["kind"]
        assert all(kind in KINDS_OF_ROLE[role] for role in account["roles"])


def test_every_role_but_the_participants_has_an_account() -> None:
    held = {role for account in REGISTRY["accounts"] for role in account["roles"]}
    assert held == _words(words_pb2.Role, "ROLE_") - {"participant"}


def test_every_agency_has_an_account() -> None:
    assert {account["agency"] for account in REGISTRY["accounts"]} == AGENCIES.keys()


@pytest.mark.parametrize("site", sorted(SITES))
def test_one_participation_agreement_binds_all_agencies_of_a_site(site: str) -> None:
    (agreement,) = [a for a in REGISTRY["agreements"] if a["type"] == "PARTICIPATION" and site in a["sites"]]
    assert set(agreement["agencies"]) == {slug for slug, agency in AGENCIES.items() if site in agency["sites"]}


def test_agreements_bind_known_agencies_and_end_after_they_begin() -> None:
    for agreement in REGISTRY["agreements"]:
        assert set(agreement["agencies"]) <= AGENCIES.keys()
        assert agreement["from"] < agreement["until"]
    types = {agreement["type"] for agreement in REGISTRY["agreements"]}
    assert types == {"PARTICIPATION", "QSOA", "RESEARCH_APPROVAL", "AUDIT_APPROVAL"}


def test_packs_route_to_prosecutors_of_their_own_site() -> None:
    for site in SITES.values():
        for office in {site.routing.default_office, *(route.office for route in site.routing.rules)}:
            assert AGENCIES[office]["kind"] == "prosecutor"
            assert site.id in AGENCIES[office]["sites"]
