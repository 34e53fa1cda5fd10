"""What remains of an answer is what the masks allow: over every public answer, filled with anything (Hypothesis)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given, settings
from hypothesis import strategies as st
from lead.options.v1 import options_pb2, words_pb2

from gateway.redact import NO_RECORD, Key, View, redact, references
from services.shared import labels
from services.shared.sharing.need import BITS, KINDS, need
from tests.unit.gateway.messages import messages

EVERYTHING = sum(BITS.values())
ANSWERS = sorted({rpc.output_type.full_name: rpc for rpc in labels.public_methods()}.values(), key=lambda one: one.name)
_WORDS: dict[int, str] = {number: name.removeprefix("CATEGORY_") for name, number in words_pb2.Category.items()}
# By hand, from the matrix, "Need set".
ENROLMENTS = {
    "sud_treatment": "SUD_TREATMENT",
    "mental_health": "MENTAL_HEALTH",
    "health_care": "PHYSICAL_HEALTH",
    "ems": "PHYSICAL_HEALTH",
    "housing": "HOUSING",
    "job_training": "EMPLOYMENT",
}
_REFERENCE = options_pb2.Reference.DESCRIPTOR

views = st.builds(
    View,
    st.one_of(st.just(0), st.just(EVERYTHING), st.integers(0, EVERYTHING).map(lambda bits: bits & EVERYTHING)),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(["YES", "NO", "UNKNOWN"]),
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Message, Callable[[Key], View]]:
    """Any public answer, and a view for each record in it."""
    rpc: MethodDescriptor = draw(st.sampled_from(ANSWERS))
    message = draw(messages(rpc.output_type, referenced=True))
    keys = sorted({NO_RECORD, *references(message)})
    drawn = {key: draw(views) for key in keys}
    return message, drawn.__getitem__


def copy_of(message: Message) -> Any:
    other = type(message)()
    other.CopyFrom(message)
    return other


def redacted(message: Message, view: Callable[[Key], View]) -> Any:
    other = copy_of(message)
    redact(other, view)
    return other


# The same once more, said as plainly as possible: what should remain.


def what_should_remain(message: Message, view: Callable[[Key], View]) -> Any:
    return _rebuilt(message, "", view(NO_RECORD), view)


def _rebuilt(message: Message, row: str, seen: View, view: Callable[[Key], View]) -> Any:
    rest: Any = type(message)()
    for field, value in message.ListFields():
        if field.message_type is _REFERENCE:
            continue
        if labels.is_leaf(field):
            if labels.said_when_absent(field) is None and may_see(_label(message, field, row), row, seen):
                _put(rest, field, value)
            continue
        inner = [_inner(one, row, seen, view) for one in (value if field.is_repeated else (value,))]
        for one in (each for each in inner if each.ListFields()):
            _put(rest, field, [one] if field.is_repeated else one)
    _say(rest, message, row, seen)
    return rest


def _inner(message: Message, row: str, seen: View, view: Callable[[Key], View]) -> Any:
    if labels.person_record(message.DESCRIPTOR) is None:
        return _rebuilt(message, row, seen, view)
    seen = view(key_of(message))
    row = row_of(message, seen)
    if not row or not may_see(row, row, seen):
        return type(message)()
    rest = _rebuilt(message, row, seen, view)
    dated = labels.last_change(message.DESCRIPTOR)
    if dated is not None:
        rest.ClearField(dated.name)
        times = [(one.seconds, one.nanos) for one in visible_changes(message, view)]
        if times and max(times) > (0, 0) and may_see(_label(message, dated, row), row, seen):
            getattr(rest, dated.name).seconds, getattr(rest, dated.name).nanos = max(times)
    return rest


def visible_changes(record: Any, view: Callable[[Key], View]) -> Iterator[Timestamp]:
    """The times of all changes of a record that may be seen, and of the visible records inside it."""
    seen = view(key_of(record))
    row = row_of(record, seen)
    if row and may_see(row, row, seen):
        for change in record.reference.changes:
            if change.category and may_see(_WORDS.get(change.category, ""), row, seen):
                yield change.time
        yield from _inner_changes(record, view)


def _inner_changes(message: Message, view: Callable[[Key], View]) -> Iterator[Timestamp]:
    for field, value in message.ListFields():
        if field.message_type is not None and not labels.is_leaf(field) and field.message_type is not _REFERENCE:
            for one in value if field.is_repeated else (value,):
                is_record = labels.person_record(one.DESCRIPTOR) is not None
                yield from visible_changes(one, view) if is_record else _inner_changes(one, view)


def row_of(record: Any, seen: View) -> str:
    """The word of the row category, empty where nobody says one."""
    said = labels.person_record(record.DESCRIPTOR)
    assert said is not None
    if said.row_category_by_source_kind:
        return ENROLMENTS.get(seen.source_kind, "")
    number = getattr(record, said.row_category_from) if said.row_category_from else said.row_category
    return _WORDS.get(number, "") if number else ""


def key_of(record: Any) -> Key:
    return (record.reference.subject_id, record.reference.source_agency_id, record.reference.record_id)


def may_see(word: str, row: str, seen: View) -> bool:
    return not need(word, row, seen.source_kind, seen.part2) & ~seen.visible


def _label(message: Message, field: Any, row: str) -> str:
    if labels.of_row(field):
        return row
    sibling = labels.category_from(field)
    number = getattr(message, sibling) if sibling else labels.category(field)
    return _WORDS[number]


def _put(rest: Any, field: Any, value: Any) -> None:
    if field.is_repeated:
        getattr(rest, field.name).extend(value)
    elif field.message_type is not None:
        getattr(rest, field.name).CopyFrom(value)
    else:
        setattr(rest, field.name, value)


def _say(rest: Any, message: Message, row: str, seen: View) -> None:
    for field in message.DESCRIPTOR.fields:
        said = labels.said_when_absent(field)
        if said is not None and may_see(_WORDS[labels.category(field)], row, seen) and not rest.HasField(said.field):
            setattr(rest, field.name, said.text)


@settings(max_examples=300)
@given(answers())
def test_what_remains_is_what_the_masks_allow_no_more_and_no_less(
    answer: tuple[Message, Callable[[Key], View]],
) -> None:
    message, view = answer
    assert redacted(message, view) == what_should_remain(message, view)


# Lists by what changed.


@settings(max_examples=200)
@given(answers(), st.tuples(st.integers(0, 2_000_000_000), st.integers(0, 999_999_999)))
def test_a_list_by_changes_holds_only_what_changed_visibly(
    answer: tuple[Message, Callable[[Key], View]], since: tuple[int, int]
) -> None:
    """A change that the caller may not see does not bring a row up."""
    message, view = answer
    expected = copy_of(message)
    for field, value in message.ListFields():
        if field.is_repeated and field.message_type is not None and labels.person_record(field.message_type):
            kept = [one for one in value if any((at.seconds, at.nanos) > since for at in visible_changes(one, view))]
            expected.ClearField(field.name)
            getattr(expected, field.name).extend(kept)
    other = copy_of(message)
    redact(other, view, since)
    assert other == redacted(expected, view)


# Canaries: nothing that was hidden is anywhere in the bytes.


class Planter:
    """Puts a canary into each text of a message, and knows which of them may be seen."""

    def __init__(self, view: Callable[[Key], View]) -> None:
        self._view = view
        self.allowed: set[str] = set()
        self.hidden: set[str] = set()

    def plant(self, message: Any, row: str, seen: View, open_: bool = True) -> None:
        for field, value in message.ListFields():
            if field.message_type is _REFERENCE:
                continue
            if field.message_type is not None and not labels.is_leaf(field):
                for one in value if field.is_repeated else (value,):
                    self._plant_inside(one, row, seen, open_)
            elif field.type == field.TYPE_STRING and labels.said_when_absent(field) is None:
                may = open_ and may_see(_label(message, field, row), row, seen)
                canaries = [self._canary(may) for _ in (value if field.is_repeated else (value,))]
                message.ClearField(field.name)
                _put(message, field, canaries if field.is_repeated else canaries[0])

    def _plant_inside(self, message: Any, row: str, seen: View, open_: bool) -> None:
        if labels.person_record(message.DESCRIPTOR) is not None:
            seen = self._view(key_of(message))
            row = row_of(message, seen)
            open_ = open_ and bool(row) and may_see(row, row, seen)
        self.plant(message, row, seen, open_)

    def _canary(self, may: bool) -> str:
        canary = f"canary-{len(self.allowed) + len(self.hidden)}-end"
        (self.allowed if may else self.hidden).add(canary)
        return canary


def planted(message: Message, view: Callable[[Key], View]) -> tuple[Message, set[str], set[str]]:
    """The message with a canary in each text; the canaries that may be seen, and those that may not."""
    marked, planter = copy_of(message), Planter(view)
    planter.plant(marked, "", view(NO_RECORD))
    return marked, planter.allowed, planter.hidden


@settings(max_examples=200)
@given(answers())
def test_no_byte_of_what_is_hidden_remains(answer: tuple[Message, Callable[[Key], View]]) -> None:
    message, allowed, hidden = planted(*answer)
    rest = redacted(message, answer[1]).SerializeToString()
    assert {canary for canary in allowed | hidden if canary.encode() in rest} == allowed


@given(answers())
def test_nothing_but_the_fixed_words_remains_of_what_nobody_may_see(
    answer: tuple[Message, Callable[[Key], View]],
) -> None:
    assert not redacted(answer[0], lambda _: View(0, "police", "NO")).ListFields()


@given(answers())
def test_references_are_stripped_whatever_may_be_seen(answer: tuple[Message, Callable[[Key], View]]) -> None:
    for view in (answer[1], lambda _: View(EVERYTHING, "none", "NO")):
        assert {field.message_type for field in walked(redacted(answer[0], view))}.isdisjoint({_REFERENCE})


def walked(message: Message) -> Iterator[Any]:
    for field, value in message.ListFields():
        yield field
        if field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                yield from walked(one)


@given(answers(), st.integers(0, EVERYTHING))
def test_seeing_less_never_shows_more(answer: tuple[Message, Callable[[Key], View]], less: int) -> None:
    message, view = answer
    marked, _, _ = planted(message, view)
    more = redacted(marked, view).SerializeToString()
    fewer = redacted(
        marked, lambda key: View(view(key).visible & less, view(key).source_kind, view(key).part2)
    ).SerializeToString()
    assert all(canary in more for canary in _canaries(fewer))


def _canaries(data: bytes) -> set[bytes]:
    return set(re.findall(rb"canary-\d+-end", data))


@given(answers())
def test_unknown_fields_are_dropped_at_every_depth(answer: tuple[Message, Callable[[Key], View]]) -> None:
    """An older gateway must not pass what it cannot label."""
    message, view = answer
    clean = redacted(message, view)
    marked = copy_of(message)
    for one in (marked, *_parts(marked)):
        one.MergeFromString(b"\xfa\x7f\x06canary")
    rest = redacted(marked, view)
    assert b"canary" not in rest.SerializeToString()
    assert not any(len(UnknownFieldSet(one)) for one in (rest, *_parts(rest)))
    assert rest == clean


def _parts(message: Message) -> list[Any]:
    found = []
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                found += [one, *_parts(one)]
    return found


@given(answers())
def test_a_record_that_is_withheld_leaves_no_trace(answer: tuple[Message, Callable[[Key], View]]) -> None:
    """P2-02: the same bytes as if it had never been there."""
    message, view = answer
    without = copy_of(message)
    _remove_withheld(without, view)
    one, other = redacted(message, view), redacted(without, view)
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


def _remove_withheld(message: Any, view: Callable[[Key], View]) -> None:
    for field, value in message.ListFields():
        if field.message_type is None or labels.is_leaf(field) or field.message_type is _REFERENCE:
            continue
        if field.is_repeated:
            for place in reversed([place for place, one in enumerate(value) if _withheld(one, view)]):
                del value[place]
            for one in value:
                _remove_withheld(one, view)
        elif _withheld(value, view):
            message.ClearField(field.name)
        else:
            _remove_withheld(value, view)


def _withheld(message: Any, view: Callable[[Key], View]) -> bool:
    if labels.person_record(message.DESCRIPTOR) is None:
        return False
    seen = view(key_of(message))
    row = row_of(message, seen)
    return not row or not may_see(row, row, seen)


@given(answers())
def test_what_remained_is_noted_by_record_and_category(answer: tuple[Message, Callable[[Key], View]]) -> None:
    """The ledger's entry rests on it: a category is noted where, and only where, a field of it is left."""
    message, view = answer
    other = copy_of(message)
    seen = redact(other, view)
    assert seen.records.keys() <= {NO_RECORD, *references(message)}
    for key, categories in seen.records.items():
        assert categories
        assert not categories & ~EVERYTHING
        assert not categories & ~view(key).visible
    if not any(field for field in walked(other) if labels.is_leaf(field) and labels.said_when_absent(field) is None):
        assert not seen.records
