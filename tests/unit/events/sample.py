"""An area `sample` with one event of everything, made for these tests alone, and ways to draw such events."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from lead.options.v1 import options_pb2, words_pb2

# Registers the file that the samples import.
assert timestamp_pb2.DESCRIPTOR.name == "google/protobuf/timestamp.proto"

TOPIC = "sample"
_TIME = ".google.protobuf.Timestamp"
_Field = descriptor_pb2.FieldDescriptorProto
IDENTITY, PLACE, REFERRAL, CHARGE, NOTES, STATUS, NEEDS, HOUSING, NARRATIVE = (
    words_pb2.CATEGORY_IDENTITY,
    words_pb2.CATEGORY_CONTACT_LOCATION,
    words_pb2.CATEGORY_REFERRAL,
    words_pb2.CATEGORY_CHARGE,
    words_pb2.CATEGORY_CASE_NOTES,
    words_pb2.CATEGORY_PROGRAM_STATUS,
    words_pb2.CATEGORY_NEEDS,
    words_pb2.CATEGORY_HOUSING,
    words_pb2.CATEGORY_OFFICER_NARRATIVE,
)


def field(name: str, number: int, category: int = 0, *, of: str = "", many: bool = False, **more: Any) -> _Field:
    """Return a field: text unless `of` names a message."""
    made = _Field(name=name, number=number, json_name=name, **more)
    made.label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
    made.type = _Field.TYPE_MESSAGE if of else _Field.TYPE_STRING
    if of:
        made.type_name = of
    if category:
        made.options.Extensions[options_pb2.category] = words_pb2.Category.ValueType(category)
    return made


def register(package: str, messages: dict[str, list[_Field]], oneofs: dict[str, list[str]] | None = None) -> None:
    """Make messages of a package known to protobuf."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "lead/options/v1/options.proto"])
    for name, fields in messages.items():
        message = file.message_type.add(name=name, field=fields)
        for oneof in (oneofs or {}).get(name, []):
            message.oneof_decl.add(name=oneof)
    descriptor_pool.Default().Add(file)


def descriptor(full_name: str) -> Descriptor:
    return descriptor_pool.Default().FindMessageTypeByName(full_name)


def message_class(full_name: str) -> Any:
    return message_factory.GetMessageClass(descriptor(full_name))


_P = ".lead.sample.v1."
register(
    "lead.sample.v1",
    {
        "Substance": [field("drug", 1, CHARGE)],
        "Charge": [
            field("id", 1, CHARGE),
            field("statute", 2, CHARGE),
            field("substances", 3, of=f"{_P}Substance", many=True),
        ],
        "Note": [field("id", 1, NOTES), field("text", 2, NOTES)],
        "Whereabouts": [
            field("town", 1, PLACE),
            field("door", 2, REFERRAL),
            field("phones", 3, PLACE, many=True),
        ],
        "SampleChanged": [
            field("name", 1, IDENTITY),
            field("at_time", 2, REFERRAL, of=_TIME),
            field("whereabouts", 3, of=f"{_P}Whereabouts"),
            field("charges", 4, of=f"{_P}Charge", many=True),
            field("narrative", 5, NARRATIVE),
            field("notes", 6, of=f"{_P}Note", many=True),
            field("seen_times", 7, STATUS, of=_TIME, many=True),
            field("wish", 8, NEEDS, oneof_index=0),
            field("roof", 9, HOUSING, oneof_index=0),
        ],
        "SampleWithdrawn": [field("reason", 1, REFERRAL)],
    },
    {"SampleChanged": ["answer"]},
)

SampleChanged = message_class("lead.sample.v1.SampleChanged")
SampleWithdrawn = message_class("lead.sample.v1.SampleWithdrawn")


def a_change(**fields: Any) -> Any:
    """Return an event with these fields."""
    return SampleChanged(**fields)


_times = st.builds(timestamp_pb2.Timestamp, seconds=st.integers(0, 2**33))
_words = st.text(max_size=5)
_charges = st.lists(st.sampled_from(["chg_1", "chg_2", "chg_3"]), unique=True).flatmap(
    lambda ids: st.tuples(
        *(
            st.fixed_dictionaries(
                {"id": st.just(each)},
                optional={
                    "statute": _words,
                    "substances": st.lists(st.fixed_dictionaries({"drug": _words}), max_size=2),
                },
            )
            for each in ids
        )
    ).map(list)
)


@st.composite
def changes(draw: st.DrawFn) -> Message:
    """Draw an event; sub-messages say something or are not there."""
    event = SampleChanged(
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": _words,
                    "at_time": _times,
                    "charges": _charges,
                    "narrative": _words,
                    "notes": st.lists(st.fixed_dictionaries({"id": _words, "text": _words}), max_size=3),
                    "seen_times": st.lists(_times, max_size=3),
                },
            )
        )
    )
    if answer := draw(st.sampled_from(["", "wish", "roof"])):
        setattr(event, answer, draw(_words))
    whereabouts = draw(st.fixed_dictionaries({}, optional={"town": _words, "door": _words, "phones": st.lists(_words)}))
    if any(whereabouts.values()):
        event.whereabouts.SetInParent()
        for name, value in whereabouts.items():
            if name == "phones":
                event.whereabouts.phones.extend(value)
            else:
                setattr(event.whereabouts, name, value)
    return event  # type: ignore[no-any-return]
