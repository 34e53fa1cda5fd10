from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway import openapi
from gateway.openapi import summary
from tests.unit.gateway.messages import routes

DOCUMENT = openapi.document(routes())
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: (path, verb, operation)
    for path, verbs in DOCUMENT["paths"].items()
    for verb, operation in verbs.items()
}
OF_THE_CONTRACT = sorted(set(SCHEMAS) - {"Problem"})


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(inner)


def resolve(reference: str) -> Any:
    node: Any = DOCUMENT
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        node = node[step]
    return node


def parameters(operation: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    given = [resolve(each["$ref"]) if "$ref" in each else each for each in operation["parameters"]]
    found = {(each["in"], each["name"]): each for each in given}
    assert len(found) == len(given)
    return found


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[name]["properties"]
    return found


def test_every_route_is_one_operation() -> None:
    assert sorted(OPERATIONS) == sorted(route.rpc.name for route in routes().all)
    assert sum(len(verbs) for verbs in DOCUMENT["paths"].values()) == len(routes().all)


def test_the_document_has_the_members_that_openapi_asks_for() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for kind in DOCUMENT["components"].values() for name in kind)
    assert DOCUMENT["security"] == [{"bearer": []}]
    assert DOCUMENT["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_the_document_is_json_and_always_the_same() -> None:
    assert json.dumps(DOCUMENT) == json.dumps(openapi.document(routes()))


def test_every_reference_leads_somewhere() -> None:
    for part in parts(DOCUMENT):
        if "$ref" in part:
            assert resolve(part["$ref"])


def test_every_component_is_used() -> None:
    used = {part["$ref"].rpartition("/")[2] for part in parts(DOCUMENT) if "$ref" in part}
    assert used >= set(SCHEMAS) | set(DOCUMENT["components"]["responses"]) | set(DOCUMENT["components"]["parameters"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_whole(name: str) -> None:
    path, _, operation = OPERATIONS[name]
    given = parameters(operation)
    assert {key for place, key in given if place == "path"} == set(re.findall(r"\{(\w+)\}", path))
    assert all(each["required"] for (place, _), each in given.items() if place == "path")
    assert all("schema" in each for each in given.values())
    assert all(
        resolve(each["$ref"])["description"] for status, each in operation["responses"].items() if status != "200"
    )
    assert {"200", "400", "401", "403", "404", "429", "503"} <= set(operation["responses"])
    assert ("415" in operation["responses"]) == ("requestBody" in operation)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_who_may_call_it_and_for_what(name: str) -> None:
    operation = OPERATIONS[name][2]
    given = parameters(operation)
    assert operation["x-permission"].count(":") == 2
    assert operation["x-roles"] == given["header", "X-Role"]["schema"]["enum"] != []
    assert operation["x-purposes"] == given["header", "X-Purpose-Of-Use"]["schema"]["enum"] != []


def test_roles_and_purposes_are_the_words_of_the_contract() -> None:
    operation = OPERATIONS["DecideCharge"][2]
    assert operation["x-roles"] == ["prosecutor"]
    assert operation["x-purposes"] == ["DIVERSION_COORD", "DIVERSION_ELIG"]


def test_creating_calls_take_an_idempotency_key() -> None:
    keyed = {name for name, (_, _, each) in OPERATIONS.items() if ("header", "Idempotency-Key") in parameters(each)}
    assert keyed == {
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
    }


def test_paths_and_parameters_are_spelled_as_in_json() -> None:
    assert OPERATIONS["DecideCharge"][0] == "/v1/reviews/{id}/charges/{chargeId}:decide"
    queries = [name for place, name in parameters(OPERATIONS["ListReviews"][2]) if place == "query"]
    assert queries == ["state", "dueBefore", "pageSize", "pageToken"]


def test_a_body_has_no_room_for_what_is_given_elsewhere() -> None:
    schema = OPERATIONS["ReferIncident"][2]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["additionalProperties"] is False
    assert "person" in schema["properties"]
    assert not {"id", "requestId"} & set(schema["properties"])


def test_a_raw_body_is_any_media_type() -> None:
    assert OPERATIONS["ImportIncidents"][2]["requestBody"]["content"] == {"*/*": {}}


def test_only_what_is_never_answered_is_closed_to_unknown_fields() -> None:
    assert SCHEMAS["referral.v1.ReferralDraft"]["additionalProperties"] is False
    assert properties("referral.v1.ReferralDraft")["narrative"]["maxLength"] == 20_000
    assert properties("referral.v1.ReferralDraft")["charges"]["maxItems"] == 5_000
    assert "additionalProperties" not in SCHEMAS["referral.v1.Person"]


@pytest.mark.parametrize("name", OF_THE_CONTRACT)
def test_every_value_says_what_it_tells(name: str) -> None:
    for field in SCHEMAS[name].get("properties", {}).values():
        inner = field.get("items", field)
        is_leaf = "$ref" not in inner or "enum" in resolve(inner["$ref"])
        assert is_leaf == ("x-category" in field or "x-category-from" in field)


def test_a_record_says_what_it_needs_to_be_seen_at_all() -> None:
    assert SCHEMAS["referral.v1.Referral"]["x-row-category"] == "REFERRAL"
    assert SCHEMAS["referral.v1.ChargeDecision"]["x-row-category"] == "DECISION"
    assert "x-row-category" not in SCHEMAS["referral.v1.Person"]


def test_kinds_are_those_of_proto3_json() -> None:
    referral = properties("referral.v1.Referral")
    assert referral["incidentTime"] == {"type": "string", "format": "date-time", "x-category": "REFERRAL"}
    assert referral["door"] == {"$ref": "#/components/schemas/referral.v1.Door", "x-category": "REFERRAL"}
    assert properties("referral.v1.Source")["version"]["type"] == "string"
    assert properties("referral.v1.Reason")["text"] == {"type": "string", "x-category-from": "quotes"}
    assert "no confirmation received" in referral["confirmationAbsent"]["description"]
    assert SCHEMAS["referral.v1.Door"]["enum"] == ["DOOR_ARREST_DIVERSION", "DOOR_SOCIAL_CONTACT", "DOOR_COMMUNITY"]


def test_whose_record_it_is_is_never_shown() -> None:
    assert "options.v1.Reference" not in SCHEMAS
    assert not any("reference" in part.get("properties", {}) for part in parts(DOCUMENT))


@pytest.mark.parametrize(
    ("name", "words"),
    [("ListReferrals", "List referrals"), ("GetMe", "Get me"), ("GetPolicyMatrix", "Get policy matrix")],
)
def test_a_name_reads_as_a_sentence(name: str, words: str) -> None:
    assert summary(name) == words
