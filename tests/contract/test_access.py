"""Who may call what: every method says it, the words are known, and somebody serves it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from lead.options.v1 import answer_pb2, options_pb2, words_pb2

from gateway.pages import rows_field
from services.shared import labels
from services.shared.sharing.purposes import ALLOWED, MATRIX_ROLES, NO_ROLE

AREAS = ("referral", "review", "casework", "provider", "consent", "audit", "outcomes")
SERVICES = (*AREAS, "gateway")
PUBLIC = labels.public_methods()
ALL: list[MethodDescriptor] = [
    method for file in labels.area_files() for service in file.services_by_name.values() for method in service.methods
]
INTERNAL = [method for method in ALL if method not in PUBLIC]


def area_of(rpc: MethodDescriptor) -> str:
    return str(rpc.containing_service.file.package.split(".")[1])


def access_of(rpc: MethodDescriptor) -> options_pb2.Access:
    access = labels.access(rpc)
    assert access is not None
    return access


def http(rpc: MethodDescriptor) -> str:
    """The HTTP method and path of a call, empty where it has none."""
    options: Any = rpc.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return ""
    rule = options.Extensions[annotations_pb2.http]
    kind = rule.WhichOneof("pattern")
    return f"{kind.upper()} {getattr(rule, kind)}" if kind else ""


def words(prefix: str, enum: Any, numbers: Iterable[int]) -> list[str]:
    return [enum.Name(number).removeprefix(prefix) for number in numbers]


def test_there_is_something_to_test() -> None:
    assert len(PUBLIC) > 30
    assert len(INTERNAL) > 5


@pytest.mark.parametrize("rpc", ALL, ids=lambda rpc: rpc.name)
def test_every_method_says_what_it_permits_in_the_words_of_its_area(rpc: MethodDescriptor) -> None:
    assert re.fullmatch(rf"{area_of(rpc)}:[a-z]+:[a-z]+", access_of(rpc).permission)


@pytest.mark.parametrize("rpc", ALL, ids=lambda rpc: rpc.name)
def test_a_methods_service_says_its_exposure(rpc: MethodDescriptor) -> None:
    """Internal calls live in a service of their own, without HTTP, listed by certificate."""
    access = access_of(rpc)
    name = rpc.containing_service.name
    # The gateway's own service is named by the contract: EventService.
    area = area_of(rpc).removesuffix("s").capitalize() if area_of(rpc) == "events" else area_of(rpc).capitalize()
    if access.exposure == options_pb2.EXPOSURE_PUBLIC:
        assert name == f"{area}Service"
        assert not access.services
        assert http(rpc) or rpc.client_streaming
    else:
        assert access.exposure == options_pb2.EXPOSURE_INTERNAL
        assert name == f"{area}InternalService"
        assert not http(rpc)
        assert access.services
        assert set(access.services) <= set(SERVICES) - {area_of(rpc)}
        assert not access.roles
        assert not access.purposes


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_a_public_method_names_roles_and_purposes_once_each(rpc: MethodDescriptor) -> None:
    access = access_of(rpc)
    for numbers, enum in ((access.roles, words_pb2.Role), (access.purposes, words_pb2.Purpose)):
        assert numbers
        assert len(set(numbers)) == len(numbers)
        assert all(number and number in enum.values() for number in numbers)


def kinds_of(role: str) -> set[str]:
    return {kind for (known, kind), matrix in MATRIX_ROLES.items() if known == role and matrix != NO_ROLE}


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_each_role_of_a_method_has_a_purpose_for_it_at_every_kind_of_its_agencies(rpc: MethodDescriptor) -> None:
    """A role that is let in and has no purpose left would be refused by every call."""
    access = access_of(rpc)
    purposes = set(words("PURPOSE_", words_pb2.Purpose, access.purposes))
    for role in words("ROLE_", words_pb2.Role, access.roles):
        for kind in kinds_of(role.lower()):
            assert purposes & set(ALLOWED[MATRIX_ROLES[role.lower(), kind]]), (role, kind)


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_each_purpose_of_a_method_is_one_that_a_role_of_it_may_use(rpc: MethodDescriptor) -> None:
    access = access_of(rpc)
    usable = {
        purpose
        for role in words("ROLE_", words_pb2.Role, access.roles)
        for kind in kinds_of(role.lower())
        for purpose in ALLOWED[MATRIX_ROLES[role.lower(), kind]]
    }
    assert set(words("PURPOSE_", words_pb2.Purpose, access.purposes)) <= usable


def test_no_two_calls_have_one_path() -> None:
    shapes = [re.sub(r"\{[^}]*\}", "{}", http(rpc)) for rpc in PUBLIC if http(rpc)]
    assert len(set(shapes)) == len(shapes)
    assert all(re.match(r"(GET|POST|PATCH) /v1/", shape) for shape in shapes)


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_reads_are_reads_and_writes_are_writes(rpc: MethodDescriptor) -> None:
    """What reads is recorded before it answers; only what writes may reach the ledger later."""
    if http(rpc).startswith("GET"):
        assert rpc.name.startswith(("Get", "List")) or rpc.server_streaming
        assert not access_of(rpc).writes
    else:
        assert not rpc.name.startswith(("Get", "List"))


@pytest.mark.parametrize("rpc", ALL, ids=lambda rpc: rpc.full_name.removeprefix("lead."))
def test_request_and_answer_are_named_after_their_method_and_shared_with_none(rpc: MethodDescriptor) -> None:
    assert rpc.input_type.full_name == f"{rpc.containing_service.file.package}.{rpc.name}Request"
    assert rpc.output_type.full_name == f"{rpc.containing_service.file.package}.{rpc.name}Response"


# Lists.


def is_list(rpc: MethodDescriptor) -> bool:
    return "next_page_token" in rpc.output_type.fields_by_name


@pytest.mark.parametrize("rpc", [rpc for rpc in PUBLIC if is_list(rpc)], ids=lambda rpc: rpc.name)
def test_a_list_has_one_field_of_records_and_is_paged(rpc: MethodDescriptor) -> None:
    rows = rows_field(rpc.output_type)
    assert rows is not None
    others = {field.name for field in rpc.output_type.fields} - {rows.name}
    assert others <= {"next_page_token", "accompaniment"}
    assert {"page_size", "page_token"} <= set(rpc.input_type.fields_by_name)
    assert rpc.input_type.fields_by_name["page_size"].type == FieldDescriptor.TYPE_INT32


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_records_about_persons_come_in_lists_only_page_by_page(rpc: MethodDescriptor) -> None:
    """Otherwise a hidden row could not be refilled."""
    repeated = [one for one in rpc.output_type.fields if one.is_repeated and one.message_type is not None]
    if any(labels.person_record(one.message_type) for one in repeated):
        assert is_list(rpc)
    assert ("page_size" in rpc.input_type.fields_by_name) == is_list(rpc)


def test_no_list_tells_a_total() -> None:
    for rpc in PUBLIC:
        if is_list(rpc):
            assert not any(re.search("total|count", field.name) for field in rpc.output_type.fields)


# What goes with a disclosure.

ACCOMPANIMENT = answer_pb2.Accompaniment.DESCRIPTOR
# A draft stands on its asker's own record: nothing of it is another agency's.
OWN_DRAFTS = {"lead.referral.v1.ScreenedDraft", "lead.consent.v1.ConsentPreview"}


def carried(message: Descriptor) -> Iterator[Descriptor]:
    for field in message.fields:
        if field.message_type is not None and field.message_type is not ACCOMPANIMENT:
            yield field.message_type
            yield from carried(field.message_type)


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_an_answer_with_records_about_persons_has_room_for_notice_and_scope(rpc: MethodDescriptor) -> None:
    """42 CFR 2.32 (P2-60 to P2-63): required and absent is no answer."""
    records = {one.full_name for one in carried(rpc.output_type) if labels.person_record(one)} - OWN_DRAFTS
    field = rpc.output_type.fields_by_name.get("accompaniment")
    assert (field is not None) == bool(records)
    if field is not None:
        assert field.message_type is ACCOMPANIMENT
        assert (field.number, field.is_repeated) == (15, False)


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.name)
def test_a_stream_carries_no_record_about_a_person(rpc: MethodDescriptor) -> None:
    """Each of them has to be on the ledger by itself: what a subscription does, and no other stream."""
    if rpc.server_streaming and rpc.name != "Subscribe":
        assert not any(labels.person_record(one) for one in carried(rpc.output_type))


# Moves and creations.

ENDS_AT_ONCE = {"RevokeConsent", "WithdrawReferral", "DisableAccount"}
NO_MOVES = {"ScreenReferral", "ImportIncidents", "PreviewConsent", "BatchEnrollments"}


@pytest.mark.parametrize("rpc", [rpc for rpc in PUBLIC if ":" in http(rpc)], ids=lambda rpc: rpc.name)
def test_a_move_needs_an_etag_and_stopping_never_waits(rpc: MethodDescriptor) -> None:
    asks = "etag" in rpc.input_type.fields_by_name
    assert asks == (rpc.name not in ENDS_AT_ONCE | NO_MOVES)


@pytest.mark.parametrize(
    "name",
    [
        "SubmitReferral",
        "ImportIncidents",
        "ReferIncident",
        "RecordJusticeEvents",
        "CreateConsent",
        "CreateService",
        "RecordServiceTotal",
        "CreateServiceReferral",
        "CreateEnrollment",
        "BatchEnrollments",
        "RecordAttendance",
        "CreateEvaluationEntry",
    ],
    ids=lambda name: name,
)
def test_a_creating_call_can_be_repeated(name: str) -> None:
    [rpc] = [one for one in PUBLIC if one.name == name]
    field = rpc.input_type.fields_by_name["request_id"]
    assert field.type == FieldDescriptor.TYPE_STRING


# Who serves it.


def servicers(area: str) -> dict[str, type]:
    """The servicers of an area, by the name of their service."""
    found: dict[str, type] = {}
    for module in ("servicer", "internal"):
        try:
            loaded = importlib.import_module(f"services.{area}.{module}")
        except ModuleNotFoundError:
            continue
        for value in vars(loaded).values():
            if isinstance(value, type) and value.__name__.endswith("Servicer") and value.__module__ == loaded.__name__:
                found[value.__name__.removesuffix("Servicer")] = value
    return found


@pytest.mark.parametrize("area", AREAS)
def test_every_method_of_an_area_is_served_by_it(area: str) -> None:
    by_name = servicers(area)
    for rpc in ALL:
        if area_of(rpc) == area:
            name = rpc.containing_service.name
            served = by_name.get(name) or by_name[name.removesuffix("Service")]
            own = [vars(base) for base in served.__mro__ if base.__module__.startswith("services.")]
            assert any(rpc.name in names for names in own), rpc.full_name


def test_every_method_belongs_to_an_area() -> None:
    assert {area_of(rpc) for rpc in ALL} == {*AREAS, "events"}


def test_jails_and_courts_post_justice_events_and_do_nothing_else() -> None:
    """Matrix, Roles."""
    [named] = [rpc for rpc in PUBLIC if access_of(rpc).kinds]
    assert named.name == "RecordJusticeEvents"
    assert words("AGENCY_KIND_", words_pb2.AgencyKind, access_of(named).kinds) == ["POLICE", "JAIL", "COURT"]
