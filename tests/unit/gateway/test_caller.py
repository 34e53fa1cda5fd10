"""From an identity to a caller: one role of one agency, for one purpose, on one method."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from lead.options.v1 import options_pb2, words_pb2

from gateway.authenticate import Identity
from gateway.caller import Account, Agency, Registry, caller
from services.shared import labels
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from services.shared.sharing.purposes import REFUSED
from tests.support.clock import NOON

# Contract: "Roles, agencies, purposes"; matrix: "Roles". By hand, from the text.
KINDS_OF_ROLE = {
    "police_officer": {"police"},
    "police_rms": {"police"},
    "police_liaison": {"police"},
    "prosecutor": {"prosecutor"},
    "defender": {"defender"},
    "case_manager": {"case_management"},
    "case_supervisor": {"case_management"},
    "provider_staff": {
        "sud_treatment",
        "mental_health",
        "health_care",
        "ems",
        "housing",
        "job_training",
        "victim_services",
    },
    "program_manager": {"program_office"},
    "evaluator": {"evaluator"},
    "auditor": {"auditor"},
    "operator": {"operator"},
    "participant": set(),
}
KINDS_OF_ROLE["provider_system"] = KINDS_OF_ROLE["provider_staff"]
PURPOSES_OF_ROLE = {
    **dict.fromkeys(
        ("police_officer", "police_rms", "police_liaison", "prosecutor", "program_manager"),
        ("DIVERSION_COORD", "DIVERSION_ELIG"),
    ),
    "defender": ("DIVERSION_COORD",),
    **dict.fromkeys(("case_manager", "case_supervisor"), ("CAREMGT", "HANDOFF", "DIVERSION_COORD", "HOUSING_PLACE")),
    "evaluator": ("HRESCH",),
    "auditor": ("AUDIT_EVAL",),
    "operator": ("AUDIT_EVAL",),
    "participant": ("PATRQT",),
}
KINDS = [name.removeprefix("AGENCY_KIND_").lower() for name, number in words_pb2.AgencyKind.items() if number]
ROLES = [name.removeprefix("ROLE_").lower() for name, number in words_pb2.Role.items() if number]
PURPOSES = [name.removeprefix("PURPOSE_") for name, number in words_pb2.Purpose.items() if number]
EVERYBODY = options_pb2.Access(
    roles=[number for number in words_pb2.Role.values() if number],
    purposes=[number for number in words_pb2.Purpose.values() if number],
)
REGISTRY = Registry(
    {
        **{kind: Agency(kind, ("north", "south")) for kind in KINDS},
        "other": Agency("police", ("north",)),
    },
    {
        **{f"{role}@{kind}": Account(kind, frozenset({role}), False, None) for role, kind in product(ROLES, KINDS)},
        "two": Account("police", frozenset({"police_officer", "police_liaison"}), False, None),
        "off": Account("police", frozenset({"police_officer"}), True, None),
        "ends": Account("police", frozenset({"police_officer"}), False, NOON),
        "lost": Account("nowhere", frozenset({"police_officer"}), False, None),
    },
)
OFFICER = Identity("police_officer@police")
PERSON = Identity("acc_person", participant_id="par_1")


def resolved(identity: Identity, role: str = "", purpose: str = "", access: Any = EVERYBODY, **more: Any) -> Caller:
    return caller(identity, REGISTRY, access, role, purpose, more.get("now", NOON))


def refused(identity: Identity, role: str = "", purpose: str = "", access: Any = EVERYBODY, **more: Any) -> LeadError:
    with pytest.raises(LeadError) as error:
        resolved(identity, role, purpose, access, **more)
    return error.value


def access_of(name: str) -> options_pb2.Access:
    [rpc] = [one for one in labels.public_methods() if one.name == name]
    access = labels.access(rpc)
    assert access is not None
    return access


@pytest.mark.parametrize("role", ROLES)
def test_a_role_acts_for_agencies_of_its_kinds_alone(role: str) -> None:
    for kind in KINDS:
        identity = Identity(f"{role}@{kind}")
        if kind in KINDS_OF_ROLE[role]:
            found = resolved(identity)
            assert (found.role, found.agency_id, found.agency_kind) == (role, kind, kind)
        else:
            assert refused(identity).code is Code.PERMISSION_DENIED, kind


@pytest.mark.parametrize("kind", ["jail", "court"])
@pytest.mark.parametrize("method", sorted(rpc.name for rpc in labels.public_methods()))
def test_a_jail_or_court_posts_justice_events_and_calls_nothing_else(kind: str, method: str) -> None:
    """Matrix, Roles."""
    if method == "RecordJusticeEvents":
        assert resolved(Identity(f"police_rms@{kind}"), access=access_of(method)).agency_kind == kind
        return
    assert refused(Identity(f"police_rms@{kind}"), access=access_of(method)).code is Code.PERMISSION_DENIED


@pytest.mark.parametrize(("role", "purposes"), PURPOSES_OF_ROLE.items())
def test_each_role_has_its_purposes_and_no_others(role: str, purposes: tuple[str, ...]) -> None:
    identity = PERSON if role == "participant" else Identity(f"{role}@{min(KINDS_OF_ROLE[role])}")
    assert resolved(identity).purpose == purposes[0]
    for purpose in PURPOSES:
        if purpose in purposes:
            assert resolved(identity, purpose=purpose).purpose == purpose
        else:
            assert refused(identity, purpose=purpose).reason == "PURPOSE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("sud_treatment", {"TREAT"}),
        ("mental_health", {"TREAT"}),
        ("health_care", {"TREAT", "ETREAT"}),
        ("ems", {"TREAT", "ETREAT"}),
        ("housing", {"HOUSING_PLACE"}),
        ("job_training", set()),
        ("victim_services", set()),
    ],
)
def test_a_provider_has_the_purposes_of_its_kind(kind: str, more: set[str]) -> None:
    identity = Identity(f"provider_staff@{kind}")
    assert resolved(identity).purpose == "CAREMGT"
    allowed = {purpose for purpose in PURPOSES if _serves(identity, purpose)}
    assert allowed == {"CAREMGT", "DIVERSION_COORD"} | more


def _serves(identity: Identity, purpose: str) -> bool:
    try:
        return resolved(identity, purpose=purpose).purpose == purpose
    except LeadError:
        return False


@pytest.mark.parametrize("purpose", sorted(REFUSED))
def test_some_purposes_are_refused_to_everybody_by_name(purpose: str) -> None:
    """42 CFR 2.12(d): the lawful ways round run through the holding agency."""
    for identity in (OFFICER, Identity("prosecutor@prosecutor"), Identity("operator@operator"), PERSON):
        error = refused(identity, purpose=purpose)
        assert (error.code, error.reason) == (Code.PERMISSION_DENIED, "PURPOSE_REFUSED")


@pytest.mark.parametrize("purpose", ["diversion_coord", "PURPOSE_DIVERSION_COORD", "SOMETHING", " ", "UNSPECIFIED"])
def test_a_purpose_that_is_no_word_is_wrong(purpose: str) -> None:
    error = refused(OFFICER, purpose=purpose)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "UNKNOWN_WORD")
    assert purpose.strip() == "" or purpose not in str(error)


def test_a_method_serves_its_own_purposes_alone() -> None:
    access = access_of("ListHandoffs")
    manager = Identity("case_manager@case_management")
    # Contract: calls under /handoffs have a default of their own.
    assert resolved(manager, access=access).purpose == "HANDOFF"
    assert refused(manager, purpose="CAREMGT", access=access).reason == "PURPOSE_NOT_ALLOWED"


def test_without_a_header_the_roles_default_is_taken_where_the_method_serves_it() -> None:
    assert resolved(Identity("case_manager@case_management"), access=access_of("GetReferral")).purpose == "CAREMGT"
    assert resolved(OFFICER, access=access_of("ScreenReferral")).purpose == "DIVERSION_COORD"


def test_a_tokens_purposes_limit_and_the_header_chooses() -> None:
    limited = replace(OFFICER, purposes=("DIVERSION_ELIG",))
    assert resolved(limited).purpose == "DIVERSION_ELIG"
    assert refused(limited, purpose="DIVERSION_COORD").reason == "PURPOSE_NOT_ALLOWED"
    assert refused(replace(OFFICER, purposes=("CAREMGT", "NONSENSE"))).reason == "PURPOSE_NOT_ALLOWED"


@pytest.mark.parametrize("method", sorted(rpc.name for rpc in labels.public_methods()))
def test_a_method_lets_in_its_roles_alone(method: str) -> None:
    access = access_of(method)
    for role in ROLES:
        identity = PERSON if role == "participant" else Identity(f"{role}@{min(KINDS_OF_ROLE[role], default='')}")
        if words_pb2.Role.Value(f"ROLE_{role.upper()}") in access.roles:
            assert resolved(identity, access=access).role == role
        else:
            # Where a method names kinds of agencies, the kind is looked at before the role.
            expected = {"ROLE_NOT_ALLOWED", "NOT_FOR_THIS_AGENCY"} if access.kinds else {"ROLE_NOT_ALLOWED"}
            assert refused(identity, access=access).reason in expected


def test_who_has_several_roles_says_which() -> None:
    two = Identity("two")
    error = refused(two)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "ROLE_NEEDED")
    assert resolved(two, "police_liaison").role == "police_liaison"
    assert refused(two, "police_rms").reason == "ROLE_REFUSED"
    assert refused(two, "chief").reason == "UNKNOWN_WORD"
    assert refused(two, "POLICE_OFFICER").reason == "UNKNOWN_WORD"


def test_a_tokens_roles_limit_those_of_the_account() -> None:
    assert resolved(Identity("two", roles=("police_officer",))).role == "police_officer"
    assert resolved(Identity("two", roles=("police_officer", "prosecutor"))).role == "police_officer"
    assert refused(Identity("two", roles=("police_officer",)), "police_liaison").reason == "ROLE_REFUSED"


def test_a_token_that_shares_no_role_with_its_account_carries_none() -> None:
    error = refused(replace(OFFICER, roles=("prosecutor",)))
    assert (error.code, error.reason) == (Code.PERMISSION_DENIED, "ROLE_REFUSED")
    assert refused(replace(OFFICER, roles=("prosecutor",)), "prosecutor").reason == "ROLE_REFUSED"


@pytest.mark.parametrize(
    "identity",
    [
        Identity("nobody"),
        Identity(""),
        Identity("off"),
        Identity("ends"),
        Identity("lost"),
        replace(OFFICER, agency_id="other"),
        replace(OFFICER, agency_id="nowhere"),
    ],
    ids=["unknown", "empty", "disabled", "expired", "of an unknown agency", "of another agency", "of no agency"],
)
def test_who_is_not_in_order_is_refused_without_being_told_why(identity: Identity) -> None:
    assert refused(identity, "chief", "WARRANT").code is Code.UNAUTHENTICATED
    error = refused(identity)
    assert (str(error), error.violations) == (str(refused(Identity("nobody"))), ())
    assert error.code is Code.UNAUTHENTICATED


def test_an_account_serves_until_just_before_its_end() -> None:
    assert resolved(Identity("ends"), now=NOON - timedelta(microseconds=1)).account_id == "ends"


def test_a_token_may_name_its_own_agency() -> None:
    assert resolved(replace(OFFICER, agency_id="police")) == resolved(OFFICER)


def test_a_tokens_sites_limit_those_of_the_agency() -> None:
    assert resolved(OFFICER).site_ids == ("north", "south")
    assert resolved(replace(OFFICER, site_ids=("south", "west"))).site_ids == ("south",)
    assert resolved(replace(OFFICER, site_ids=("west",))).site_ids == ()


def test_a_participant_is_who_the_issuer_vouches_for_and_of_no_agency() -> None:
    found = resolved(replace(PERSON, acr="high", agency_id="police", site_ids=("north",)))
    assert found == Caller("acc_person", "", "", "participant", "PATRQT", (), "par_1", "high")
    assert resolved(replace(PERSON, roles=("participant",)), "participant").role == "participant"


@pytest.mark.parametrize("roles", [("prosecutor",), ("participant", "prosecutor"), ("participant", "participant")])
def test_a_participant_acts_in_no_other_role(roles: tuple[str, ...]) -> None:
    assert refused(replace(PERSON, roles=roles)).code is Code.UNAUTHENTICATED


def test_a_participant_who_asks_for_another_role_is_refused_it() -> None:
    assert refused(PERSON, "prosecutor").reason == "ROLE_REFUSED"
    assert refused(PERSON, "chief").reason == "UNKNOWN_WORD"


def test_an_account_of_a_participant_does_not_make_one_a_participant() -> None:
    assert refused(Identity("participant@police")).code is Code.PERMISSION_DENIED


def test_what_the_token_says_of_the_sign_in_goes_along() -> None:
    assert resolved(replace(OFFICER, acr="urn:example:high")).acr == "urn:example:high"
