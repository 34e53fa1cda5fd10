"""Reads what the contract says about itself: the category of a field, the person of a record, the callers of a method.

Nothing here decides. An answer of "nothing said" (category 0, no access) must be read as "not allowed" by whoever asks.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache

import lead
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from lead.options.v1 import options_pb2, words_pb2

_PREFIX = "CATEGORY_"
_NUMBERS = {name.removeprefix(_PREFIX): number for name, number in words_pb2.Category.items() if number}
_WORDS = {number: word for word, number in _NUMBERS.items()}
# Messages of another project that are one value each.
_LEAF_MESSAGES = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})
_REFERENCE = options_pb2.Reference.DESCRIPTOR.full_name
_INTERNAL_FILE = "_internal_service.proto"
# Files whose messages never leave a service: the options themselves, and the envelope, which carries ciphertext.
_EXEMPT_FILES = frozenset({"lead/options/v1/options.proto", "lead/envelope/v1/envelope.proto"})


class ContractError(Exception):
    """The contract leaves something unsaid that must be said; the text names every place."""


@cache
def category(field: FieldDescriptor) -> int:
    """Return the number of the field's category, 0 when it says none."""
    return int(field.GetOptions().Extensions[options_pb2.category])


@cache
def category_from(field: FieldDescriptor) -> str:
    """Return the name of the sibling field that holds this leaf's category, empty when there is none."""
    return field.GetOptions().Extensions[options_pb2.category_from]


@cache
def said_when_absent(field: FieldDescriptor) -> options_pb2.SaidWhenAbsent | None:
    """Return the sentence that stands on this field while the sibling it names is empty, if any (matrix row 15)."""
    options = field.GetOptions()
    if not options.HasExtension(options_pb2.said_when_absent):
        return None
    return options.Extensions[options_pb2.said_when_absent]


@cache
def of_row(field: FieldDescriptor) -> bool:
    """Tell whether the leaf has the row category of the record that it stands on."""
    return field.GetOptions().Extensions[options_pb2.of_row]


@cache
def last_change(message: Descriptor) -> FieldDescriptor | None:
    """Return the field that says when what its reader sees of the record changed last, if the record has one."""
    return next((one for one in message.fields if one.GetOptions().Extensions[options_pb2.last_change]), None)


@cache
def enrolment_category(kind: str) -> int:
    """Return the row category of enrolments with an agency of this kind (`sud_treatment`), 0 where it has none.

    The kind of the provider says what the enrolment tells of a person (matrix, "Need set").
    """
    number = words_pb2.AgencyKind.DESCRIPTOR.values_by_name.get("AGENCY_KIND_" + kind.upper())
    return 0 if number is None else int(number.GetOptions().Extensions[words_pb2.enrolment_category])


@cache
def enrolment_categories() -> tuple[int, ...]:
    """Return every category that an enrolment may have."""
    kinds = (name.removeprefix("AGENCY_KIND_").lower() for name, _ in words_pb2.AgencyKind.items())
    return tuple(sorted({enrolment_category(kind) for kind in kinds} - {0}))


@cache
def event_options(message: Descriptor) -> options_pb2.EventOptions | None:
    """Return how an event is told to those who follow, or None when it is told to nobody."""
    options = message.GetOptions()
    return options.Extensions[options_pb2.event] if options.HasExtension(options_pb2.event) else None


@cache
def person_record(message: Descriptor) -> options_pb2.PersonRecord | None:
    """Return what makes the message a record about a person, or None when it is none."""
    options = message.GetOptions()
    if not options.HasExtension(options_pb2.person_record):
        return None
    return options.Extensions[options_pb2.person_record]


@cache
def reference_field(message: Descriptor) -> FieldDescriptor | None:
    """Return the field that names the record's person and source; None unless there is exactly one."""
    found = [
        field
        for field in message.fields
        if not field.is_repeated and field.message_type is not None and field.message_type.full_name == _REFERENCE
    ]
    return found[0] if len(found) == 1 else None


@cache
def access(method: MethodDescriptor) -> options_pb2.Access | None:
    """Return who may call the method, or None when it does not say."""
    options = method.GetOptions()
    return options.Extensions[options_pb2.access] if options.HasExtension(options_pb2.access) else None


def bit(number: int) -> int:
    """Return the mask of one category. Category 0 gets bit 0, which no decision ever grants: unlabelled is denied."""
    return 1 << number


def mask(*words: str) -> int:
    """Return the mask of these short words, `mask("IDENTITY", "CHARGE")`. Raises ValueError on an unknown word."""
    total = 0
    for word in words:
        if word not in _NUMBERS:
            raise ValueError("unknown category word")
        total |= 1 << _NUMBERS[word]
    return total


def words(total: int) -> tuple[str, ...]:
    """Return the short words in a mask, in the order of the enum. Raises ValueError on a bit without a word."""
    found = tuple(word for number, word in sorted(_WORDS.items()) if total >> number & 1)
    if mask(*found) != total:
        raise ValueError("the mask has a bit that is no category")
    return found


@cache
def is_leaf(field: FieldDescriptor) -> bool:
    """Tell whether the field holds a value of its own, so that it needs a label, and not a message of labelled ones."""
    return field.message_type is None or field.message_type.full_name in _LEAF_MESSAGES


@cache
def area_files(area: str = "") -> tuple[FileDescriptor, ...]:
    """Import and return the generated files of one area's package, or of the whole contract; empty if it has none."""
    package = f"lead.{area}." if area else "lead."
    names = [module.name for module in pkgutil.walk_packages(lead.__path__, "lead.")]
    wanted = sorted(name for name in names if name.startswith(package) and name.endswith("_pb2"))
    return tuple(importlib.import_module(name).DESCRIPTOR for name in wanted)


@cache
def methods(service: str) -> tuple[MethodDescriptor, ...]:
    """Return the methods of a service by its full name. Raises KeyError when nothing declares it."""
    return tuple(descriptor_pool.Default().FindServiceByName(service).methods)


@cache
def public_methods() -> tuple[MethodDescriptor, ...]:
    """Return every method of the contract that the gateway serves."""
    return tuple(method for method in _methods_of(area_files()) if _exposure(method) == options_pb2.EXPOSURE_PUBLIC)


def unlabelled(files: Iterable[FileDescriptor]) -> list[str]:
    """Return the full names of leaf fields that say no category, sorted; empty when the contract is complete.

    Left out is what an `_internal_service.proto` declares and no public method carries, since field scope is the
    gateway's. Maps, `Any`, `Struct` and raw bytes are always named: no label can be put on what is inside them
    (architecture section 4).
    """
    chosen = [file for file in files if file.name not in _EXEMPT_FILES]
    public = _publicly_carried(chosen)
    found: set[str] = set()
    for file in chosen:
        internal = file.name.endswith(_INTERNAL_FILE)
        for message in _all_messages(file.message_types_by_name.values()):
            if message.full_name in public or not internal:
                found.update(field.full_name for field in message.fields if _lacks_label(field))
    return sorted(found)


def _lacks_label(field: FieldDescriptor) -> bool:
    inner = field.message_type
    if inner is not None and inner.full_name not in _LEAF_MESSAGES:
        return bool(inner.GetOptions().map_entry) or inner.file.package == "google.protobuf"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return True
    return not category(field) and not category_from(field) and not of_row(field)


def _publicly_carried(files: Iterable[FileDescriptor]) -> set[str]:
    reached: set[str] = set()
    for method in _methods_of(files):
        if _exposure(method) == options_pb2.EXPOSURE_PUBLIC:
            _reach(method.input_type, reached)
            _reach(method.output_type, reached)
    return reached


def _reach(message: Descriptor, seen: set[str]) -> None:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        if field.message_type is not None:
            _reach(field.message_type, seen)


def _exposure(method: MethodDescriptor) -> int:
    said = access(method)
    return options_pb2.EXPOSURE_UNSPECIFIED if said is None else said.exposure


def _methods_of(files: Iterable[FileDescriptor]) -> Iterator[MethodDescriptor]:
    for file in files:
        for service in file.services_by_name.values():
            yield from service.methods


def _all_messages(messages: Iterable[Descriptor]) -> Iterator[Descriptor]:
    for message in messages:
        if not message.GetOptions().map_entry:
            yield message
            yield from _all_messages(message.nested_types)
