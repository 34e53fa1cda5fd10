from __future__ import annotations

from services.command.demo.calls import Read, reads


def by_name(role: str, kind: str) -> dict[str, Read]:
    return {read.rpc.name: read for read in reads(role, kind)}


def test_every_get_whose_access_names_the_role_is_a_call_of_the_role() -> None:
    assert set(by_name("prosecutor", "prosecutor")) == {
        "GetReferral",
        "ListReferrals",
        "GetSite",
        "ListReviews",
        "GetReview",
        "GetFunnel",
        "GetRearrest",
        "GetPolicyMatrix",
        "GetMe",
    }
    assert set(by_name("provider_staff", "housing")) == {
        "ListServices",
        "ListServiceReferrals",
        "ListEnrollments",
        "GetEnrollment",
        "GetSite",
        "GetPolicyMatrix",
        "GetMe",
    }


def test_a_subscription_is_no_call_that_reads() -> None:
    """It points at what the others read."""
    assert "Subscribe" not in by_name("prosecutor", "prosecutor")


def test_a_call_is_made_at_each_purpose_of_the_role_that_it_serves() -> None:
    calls = by_name("case_manager", "case_management")
    assert calls["ListHandoffs"].purposes == ("HANDOFF",)
    assert calls["GetParticipant"].purposes == ("CAREMGT", "DIVERSION_COORD", "HOUSING_PLACE")
    assert by_name("participant", "")["GetReferral"].purposes == ("PATRQT",)


def test_a_path_takes_the_id_of_its_collection() -> None:
    calls = by_name("participant", "")
    assert calls["GetReferral"].path({"referrals": "ref_1"}) == "/v1/referrals/ref_1"
    assert calls["ListDisclosures"].path({"participants": "par_1"}) == "/v1/participants/par_1/disclosures"
    assert calls["ListReferrals"].path({}) == "/v1/referrals"


def test_without_its_id_a_call_is_not_made() -> None:
    assert by_name("participant", "")["GetReferral"].path({"participants": "par_1"}) == ""


def test_lists_and_what_is_about_nobody_are_told_apart() -> None:
    calls = by_name("auditor", "auditor")
    assert calls["ListEntries"].is_list
    assert calls["ListEntries"].is_about_people
    assert not calls["GetPolicyMatrix"].is_about_people
    assert not calls["GetSite"].is_list
    assert by_name("police_officer", "police")["GetReferral"].is_about_people
