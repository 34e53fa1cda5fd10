"""The contract carries its own sensitivity: every leaf says its category, every record its person and source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from lead.options.v1 import options_pb2, words_pb2

from services.shared import labels

REFERENCE = options_pb2.Reference.DESCRIPTOR
CATEGORY = words_pb2.Category.DESCRIPTOR
WORDS: dict[int, str] = {number: name.removeprefix("CATEGORY_") for name, number in words_pb2.Category.items()}
METHODS = labels.public_methods()
# Stripped from every answer.
NEVER_SHOWN = {REFERENCE.full_name, f"{REFERENCE.full_name}.Change"}
# Bytes of a file as it was sent: the only field that carries what nobody labelled, and only inwards.
RAW = {"google.api.HttpBody"}


def reached(*roots: Descriptor) -> dict[str, Descriptor]:
    """Every message that these can carry, themselves included, by full name."""
    found: dict[str, Descriptor] = {}
    left = list(roots)
    while left:
        message = left.pop()
        if message.full_name not in found:
            found[message.full_name] = message
            left += [field.message_type for field in message.fields if field.message_type is not None]
    return found


def siblings(field: FieldDescriptor) -> dict[str, FieldDescriptor]:
    """The fields of the message that holds this one, by name."""
    assert field.containing_type is not None
    return {one.name: one for one in field.containing_type.fields}


def all_messages() -> Iterator[Descriptor]:
    """Every message of the contract."""
    left: list[Descriptor] = [
        message for file in labels.area_files() for message in file.message_types_by_name.values()
    ]
    while left:
        message = left.pop()
        yield message
        left += message.nested_types


PUBLIC = {
    name: message
    for name, message in reached(*(each for rpc in METHODS for each in (rpc.input_type, rpc.output_type))).items()
    if message.file.package.startswith("lead.") and message.full_name not in NEVER_SHOWN
}
ANSWERS = {
    name: message
    for name, message in reached(*(rpc.output_type for rpc in METHODS)).items()
    if message.file.package.startswith("lead.") and message.full_name not in NEVER_SHOWN
}
RECORDS = {message.full_name: message for message in all_messages() if labels.person_record(message) is not None}
LEAVES = [field for message in PUBLIC.values() for field in message.fields if labels.is_leaf(field)]


def test_every_leaf_says_its_category() -> None:
    assert labels.unlabelled(labels.area_files()) == []


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_message_holds_nothing_that_no_label_can_be_put_on(name: str) -> None:
    """Maps, Any, Struct and raw bytes are banned (architecture section 4)."""
    for field in PUBLIC[name].fields:
        assert field.type != FieldDescriptor.TYPE_BYTES, field.full_name
        if field.message_type is not None and not labels.is_leaf(field):
            assert not field.message_type.GetOptions().map_entry, field.full_name
            package = field.message_type.file.package
            assert package.startswith("lead.") or field.message_type.full_name in RAW, field.full_name
        assert field.message_type is None or field.type != FieldDescriptor.TYPE_GROUP, field.full_name


def test_no_answer_carries_a_raw_body() -> None:
    carried = reached(*(rpc.output_type for rpc in METHODS))
    assert RAW.isdisjoint(carried)


def test_a_label_is_a_word_that_a_field_may_have() -> None:
    """SUD_PRESENCE is never a label: it is added by the class of the source."""
    for field in LEAVES:
        label, sibling = labels.category(field), labels.category_from(field)
        assert [bool(label), bool(sibling), labels.of_row(field)].count(True) == 1, field.full_name
        assert not label or WORDS[label] not in {"UNSPECIFIED", "SUD_PRESENCE"}, field.full_name


def test_a_field_that_quotes_names_the_sibling_that_says_what() -> None:
    quoting = [field for field in LEAVES if labels.category_from(field)]
    assert {field.name for field in quoting} == {"text", "input", "limit"}
    for field in quoting:
        chooser = siblings(field)[labels.category_from(field)]
        assert chooser.enum_type is CATEGORY
        assert not chooser.is_repeated
        assert labels.category(chooser)


def test_a_labelled_scalar_is_optional() -> None:
    """So that cleared is told from zero, false and empty."""
    assert [field.full_name for field in LEAVES if not field.is_repeated and not field.has_presence] == []


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_record_about_a_person_has_exactly_one_reference(name: str) -> None:
    message = RECORDS[name]
    assert [field.name for field in message.fields if field.message_type is REFERENCE] == ["reference"]
    found = labels.reference_field(message)
    assert found is not None
    assert not found.is_repeated


NEVER_A_ROW = {"UNSPECIFIED", "SUD_PRESENCE", "SYSTEM", "DIRECTORY", "STAFF"}


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_the_row_category_is_that_of_a_field_of_the_record(name: str) -> None:
    said = labels.person_record(RECORDS[name])
    assert said is not None
    fields = list(own_leaves(RECORDS[name]))
    assert [bool(said.row_category), said.row_category_by_source_kind, bool(said.row_category_from)].count(True) == 1
    if said.row_category:
        assert WORDS[said.row_category] not in NEVER_A_ROW
        assert said.row_category in {labels.category(field) for field in fields}
    else:
        assert any(labels.of_row(field) for field in fields)


def test_only_a_record_whose_row_category_varies_has_leaves_of_its_row() -> None:
    varying = {name for name, one in RECORDS.items() if not person_record(one).row_category}
    own = {field.full_name for name in varying for field in own_leaves(RECORDS[name])}
    assert {field.full_name for field in LEAVES if labels.of_row(field)} <= own


def test_a_record_that_names_its_row_category_names_a_field_of_it() -> None:
    [name] = [name for name, one in RECORDS.items() if person_record(one).row_category_from]
    assert name == "lead.events.v1.Event"
    chooser = RECORDS[name].fields_by_name[person_record(RECORDS[name]).row_category_from]
    assert chooser.enum_type is CATEGORY
    assert labels.of_row(chooser)


def test_the_kind_of_the_provider_says_what_an_enrolment_tells() -> None:
    """By hand, from the matrix, "Need set"."""
    kinds = {name.removeprefix("AGENCY_KIND_").lower() for name, _ in words_pb2.AgencyKind.items()}
    assert {kind: WORDS[number] for kind in kinds if (number := labels.enrolment_category(kind))} == {
        "sud_treatment": "SUD_TREATMENT",
        "mental_health": "MENTAL_HEALTH",
        "health_care": "PHYSICAL_HEALTH",
        "ems": "PHYSICAL_HEALTH",
        "housing": "HOUSING",
        "job_training": "EMPLOYMENT",
    }


def person_record(message: Descriptor) -> options_pb2.PersonRecord:
    said = labels.person_record(message)
    assert said is not None
    return said


def test_what_lists_by_changes_says_when_what_is_seen_changed_last() -> None:
    for rpc in METHODS:
        if "updated_after" in rpc.input_type.fields_by_name:
            [rows] = [one for one in rpc.output_type.fields if one.is_repeated]
            assert rows.message_type is not None
            dated = labels.last_change(rows.message_type)
            assert dated is not None
            assert dated.message_type is not None
            assert dated.message_type.full_name == "google.protobuf.Timestamp"


def own_leaves(message: Descriptor) -> Iterator[FieldDescriptor]:
    """The leaves of a record, down to the records of other sources."""
    for field in message.fields:
        if field.message_type is None or labels.is_leaf(field):
            yield field
        elif field.message_type is not REFERENCE and labels.person_record(field.message_type) is None:
            yield from own_leaves(field.message_type)


def test_only_a_record_about_a_person_has_a_reference() -> None:
    for message in all_messages():
        if labels.person_record(message) is None:
            held = [field.full_name for field in message.fields if field.message_type is REFERENCE]
            # Consent is asked by reference: that is what a reference is for.
            assert not held or message.full_name == "lead.consent.v1.DecideRequest", held


def test_every_record_about_a_person_is_marked_as_one() -> None:
    """By hand, from the contract: what has a person in it."""
    names = {name.removeprefix("lead.").replace(".v1.", ".") for name in RECORDS}
    assert names == {
        "referral.Referral",
        "referral.ChargeDecision",
        "referral.Confirmation",
        "referral.Incident",
        "referral.ScreenedDraft",
        "review.Review",
        "review.ReferredCharge",
        "review.ReceivedConfirmation",
        "casework.Handoff",
        "casework.HandoffRequest",
        "casework.Participant",
        "casework.PersonMatch",
        "casework.MatchedPerson",
        "provider.ServiceReferral",
        "provider.ReferredPerson",
        "provider.ReferredNeeds",
        "provider.ReferredStatus",
        "provider.ServiceAnswer",
        "provider.Enrollment",
        "outcomes.EvaluationEntry",
        "events.Event",
        "consent.Consent",
        "consent.ConsentPreview",
        "audit.Disclosure",
    }


IMPERSONAL = {"SYSTEM", "DIRECTORY", "STAFF", "DEIDENTIFIED", "FUNDING"}


@pytest.mark.parametrize("rpc", METHODS, ids=lambda rpc: rpc.name)
def test_outside_of_records_an_answer_says_nothing_about_a_person(rpc: MethodDescriptor) -> None:
    """Such a field is decided about under no record, so a category about persons would never be shown, or shown to all.

    The ledger's entries are metadata and have no person; auditors alone read them (matrix row 35).
    """
    allowed = IMPERSONAL | ({"DISCLOSURE_RECORD"} if rpc.name == "ListEntries" else set())
    for field in own_leaves(rpc.output_type):
        assert WORDS[labels.category(field)] in allowed, field.full_name


SAID = [field for message in ANSWERS.values() for field in message.fields if labels.said_when_absent(field)]


@pytest.mark.parametrize("field", SAID, ids=lambda field: field.full_name)
def test_what_is_said_in_place_of_an_absent_field_says_nothing_else(field: FieldDescriptor) -> None:
    """Matrix row 15: the words are the same whatever the cause."""
    said = labels.said_when_absent(field)
    assert said is not None
    sibling = siblings(field)[said.field]
    assert sibling.message_type is not None
    assert labels.person_record(sibling.message_type) is not None
    assert (field.type, WORDS[labels.category(field)]) == (FieldDescriptor.TYPE_STRING, "SYSTEM")
    assert said.text == "no confirmation received"


def test_both_records_that_can_lack_a_confirmation_say_so() -> None:
    assert {field.full_name.split(".")[-2] for field in SAID} == {"Referral", "Review"}


def enums() -> Iterator[EnumDescriptor]:
    for file in labels.area_files():
        yield from file.enum_types_by_name.values()
    for message in all_messages():
        yield from message.enum_types


@pytest.mark.parametrize("enum", list(enums()), ids=lambda enum: enum.full_name)
def test_an_enum_begins_with_a_word_for_nothing_said(enum: EnumDescriptor) -> None:
    zero = enum.values_by_number[0]
    assert zero.name.endswith("_UNSPECIFIED")
    prefix = zero.name.removesuffix("UNSPECIFIED")
    assert all(value.name.startswith(prefix) for value in enum.values)
