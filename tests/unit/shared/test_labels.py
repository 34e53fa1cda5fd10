"""What the contract says about itself, read from descriptors."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2
from google.protobuf.descriptor import FileDescriptor
from hypothesis import given
from hypothesis import strategies as st
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import answer_pb2, options_pb2, words_pb2

from services.shared import labels

F = descriptor_pb2.FieldDescriptorProto
WORDS = [name.removeprefix("CATEGORY_") for name in words_pb2.Category.keys()[1:]]


def declared(file: descriptor_pb2.FileDescriptorProto) -> FileDescriptor:
    """Build a file in a pool of its own, beside what the contract already has."""
    pool = descriptor_pool.DescriptorPool()
    for needed in (timestamp_pb2, descriptor_pb2, words_pb2, options_pb2):
        pool.AddSerializedFile(needed.DESCRIPTOR.serialized_pb)
    file.syntax = "proto3"
    file.dependency.extend(["lead/options/v1/options.proto", "google/protobuf/timestamp.proto"])
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(file.name)


def field(message: descriptor_pb2.DescriptorProto, name: str, kind: Any = F.TYPE_STRING, **more: Any) -> Any:
    return message.field.add(
        name=name, number=len(message.field) + 1, type=kind, label=more.pop("label", F.LABEL_OPTIONAL), **more
    )


def label(made: Any, category: int) -> None:
    made.options.Extensions[options_pb2.category] = category


def test_a_field_says_its_category() -> None:
    notice = answer_pb2.Accompaniment.DESCRIPTOR.fields_by_name["notice"]
    assert labels.category(notice) == words_pb2.CATEGORY_SYSTEM
    assert labels.category_from(notice) == ""
    assert labels.said_when_absent(notice) is None


def test_a_field_that_says_nothing_has_category_zero() -> None:
    assert labels.category(consent.Asker.DESCRIPTOR.fields_by_name["account_id"]) == 0


def test_a_record_says_its_row_category_and_its_reference() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="probe/record.proto", package="probe")
    record = file.message_type.add(name="Record")
    file.message_type.add(name="Plain")
    record.options.Extensions[options_pb2.person_record].row_category = words_pb2.CATEGORY_REFERRAL
    field(record, "reference", F.TYPE_MESSAGE, type_name=".lead.options.v1.Reference")
    said = field(record, "status")
    said.options.Extensions[options_pb2.said_when_absent].text = "no confirmation received"
    file.dependency.append("google/protobuf/descriptor.proto")
    found = declared(file).message_types_by_name
    row = labels.person_record(found["Record"])
    assert row is not None
    assert row.row_category == words_pb2.CATEGORY_REFERRAL
    assert labels.person_record(found["Plain"]) is None
    sentence = labels.said_when_absent(found["Record"].fields_by_name["status"])
    assert sentence is not None
    assert sentence.text == "no confirmation received"
    reference = labels.reference_field(found["Record"])
    assert reference is not None
    assert reference.name == "reference"


def test_two_references_are_none() -> None:
    assert labels.reference_field(consent.Asker.DESCRIPTOR) is None
    assert labels.reference_field(consent.DecideRequest.DESCRIPTOR) is None


def test_a_method_says_who_may_call_it() -> None:
    decide = next(each for each in labels.methods("lead.consent.v1.ConsentInternalService") if each.name == "Decide")
    access = labels.access(decide)
    assert access is not None
    assert list(access.services) == ["gateway"]
    assert decide not in labels.public_methods()


def test_only_public_methods_are_public() -> None:
    for method in labels.public_methods():
        access = labels.access(method)
        assert access is not None
        assert access.exposure == options_pb2.EXPOSURE_PUBLIC
        assert not method.containing_service.name.endswith("InternalService")


def test_a_service_that_nothing_declares_is_an_error() -> None:
    with pytest.raises(KeyError):
        labels.methods("lead.nothing.v1.NothingService")


@given(st.sets(st.sampled_from(WORDS)))
def test_a_mask_gives_its_words_back(words: set[str]) -> None:
    assert set(labels.words(labels.mask(*words))) == words


def test_every_category_has_a_bit_of_its_own() -> None:
    assert labels.mask("IDENTITY") == labels.bit(words_pb2.CATEGORY_IDENTITY) == 2
    assert len({labels.mask(word) for word in WORDS}) == len(WORDS)


def test_no_mask_of_words_ever_shows_what_is_unlabelled() -> None:
    assert labels.mask(*WORDS) & labels.bit(0) == 0
    assert labels.bit(0) & ~labels.mask(*WORDS) != 0


@pytest.mark.parametrize("word", ["", "identity", "UNSPECIFIED", "CATEGORY_IDENTITY"])
def test_an_unknown_word_has_no_mask(word: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        labels.mask(word)


@pytest.mark.parametrize("mask", [1, 1 << 40, 3])
def test_a_bit_without_a_word_is_an_error(mask: int) -> None:
    with pytest.raises(ValueError, match="no category"):
        labels.words(mask)


def test_times_are_leaves_and_messages_are_not() -> None:
    scope = answer_pb2.ConsentScope.Scope.DESCRIPTOR.fields_by_name
    assert labels.is_leaf(scope["expire_time"])
    assert labels.is_leaf(scope["categories"])
    assert not labels.is_leaf(answer_pb2.ConsentScope.DESCRIPTOR.fields_by_name["scope"])


def test_unlabelled_leaves_are_named_and_labelled_ones_are_not() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="probe/leaves.proto", package="leaves")
    outer = file.message_type.add(name="Outer")
    label(field(outer, "said"), words_pb2.CATEGORY_CHARGE)
    field(outer, "by_sibling").options.Extensions[options_pb2.category_from] = "said"
    field(outer, "silent")
    field(outer, "time", F.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp")
    label(field(outer, "raw", F.TYPE_BYTES), words_pb2.CATEGORY_CHARGE)
    field(outer.nested_type.add(name="Inner"), "deep")
    entry = outer.nested_type.add(name="MapEntry")
    entry.options.map_entry = True
    field(entry, "key")
    field(entry, "value")
    label(
        field(outer, "map", F.TYPE_MESSAGE, type_name=".leaves.Outer.MapEntry", label=F.LABEL_REPEATED),
        words_pb2.CATEGORY_CHARGE,
    )
    field(outer, "inner", F.TYPE_MESSAGE, type_name=".leaves.Outer.Inner")
    assert labels.unlabelled([declared(file)]) == [
        "leaves.Outer.Inner.deep",
        "leaves.Outer.map",
        "leaves.Outer.raw",
        "leaves.Outer.silent",
        "leaves.Outer.time",
    ]


def test_what_only_services_say_to_each_other_needs_no_label() -> None:
    assert labels.unlabelled([consent.DESCRIPTOR]) == []


def test_an_internal_message_that_a_public_method_carries_needs_labels() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="probe/x_internal_service.proto", package="carried")
    field(file.message_type.add(name="Carried"), "silent")
    field(file.message_type.add(name="Internal"), "silent")
    method = file.service.add(name="XService").method.add(
        name="Get", input_type=".carried.Carried", output_type=".carried.Carried"
    )
    method.options.Extensions[options_pb2.access].exposure = options_pb2.EXPOSURE_PUBLIC
    assert labels.unlabelled([declared(file)]) == ["carried.Carried.silent"]


def test_an_area_has_the_files_of_its_package() -> None:
    names = {file.name for file in labels.area_files("consent")}
    assert "lead/consent/v1/consent_internal_service.proto" in names
    assert all(name.startswith("lead/consent/") for name in names)
    assert labels.area_files("nothing") == ()
    assert names < {file.name for file in labels.area_files()}
