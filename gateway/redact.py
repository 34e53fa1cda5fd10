"""Redaction: what remains of an answer is what its caller may see, field by field.

A message is walked by its descriptor. A record about a person whose row category is not shown is removed whole; then
every leaf whose need set is not met is cleared, emptied sub-messages are pruned and references are stripped. What is
not labelled is never shown. Nothing here decides: views come from the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from lead.options.v1 import options_pb2

from services.shared import labels
from services.shared.sharing.need import BITS, need

Key = tuple[str, str, str]
"""(subject id, source agency id, record id)."""

NO_RECORD: Key = ("", "", "")
"""What fields outside of any record about a person are decided under."""

_REFERENCE = options_pb2.Reference.DESCRIPTOR
_NUMBER_TO_WORD = {bit.bit_length() - 1: word for word, bit in BITS.items()}


@dataclass(frozen=True, slots=True)
class View:
    """What the decision said of one record: visible categories, and what its source is."""

    visible: int
    source_kind: str
    part2: str


@dataclass(slots=True)
class Seen:
    """What remained of an answer: per record the categories of its non-empty fields."""

    records: dict[Key, int] = field(default_factory=dict)

    def add(self, key: Key, categories: int) -> None:
        """Note that fields of these categories remained on a record."""
        self.records[key] = self.records.get(key, 0) | categories


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one field is treated."""

    name: str
    category: int = 0
    quotes: str = ""
    plan: _Plan | None = None
    is_repeated: bool = False
    is_reference: bool = False
    said: tuple[str, str] | None = None


@dataclass(slots=True)
class _Plan:
    """How one message type is treated; compiled once."""

    rules: dict[int, _Rule]
    # Number of the row category, or 0 for what is no record about a person.
    row: int = 0
    reference: str = ""
    has_records: bool = False
    quoting: tuple[str, ...] = ()
    said: tuple[_Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scope:
    key: Key
    shown: int


def references(message: Message) -> Iterator[Key]:
    """Yield the key of every record about a person in the message, nested ones too."""
    yield from _references(message, _plan(message.DESCRIPTOR))


def redact(message: Message, view: Callable[[Key], View]) -> Seen:
    """Clear everything that may not be seen, in place; returns what remained.

    `view` is asked for each record's key, and for `NO_RECORD`. Unknown fields are dropped first, deep: an older
    gateway must not pass what it cannot label.
    """
    message.DiscardUnknownFields()
    plan, seen = _plan(message.DESCRIPTOR), Seen()
    _clean(message, plan, _scope(NO_RECORD, 0, view(NO_RECORD)), view, seen)
    return seen


def lost_record(descriptor: Descriptor, before: frozenset[str], message: Message) -> bool:
    """Tell whether a single record that the answer is about was there before redaction and is gone."""
    return any(name in before and not message.HasField(name) for name in single_records(descriptor))


def present_records(message: Message) -> frozenset[str]:
    """Return the names of single records that the answer carries."""
    return frozenset(name for name in single_records(message.DESCRIPTOR) if message.HasField(name))


@cache
def single_records(descriptor: Descriptor) -> tuple[str, ...]:
    """Return the fields of an answer that hold one record about a person each."""
    return tuple(
        one.name
        for one in descriptor.fields
        if one.message_type is not None and not one.is_repeated and labels.person_record(one.message_type)
    )


@lru_cache(maxsize=65536)
def shown(visible: int, row: int, source_kind: str, part2: str) -> int:
    """Return the mask of labels whose whole need set is visible on a record of this row category and source."""
    row_word = _NUMBER_TO_WORD.get(row, "")
    return sum(bit for word, bit in BITS.items() if not need(word, row_word, source_kind, part2) & ~visible)


def _scope(key: Key, row: int, view: View) -> _Scope:
    return _Scope(key, shown(view.visible, row, view.source_kind, view.part2))


def _clean(message: Message, plan: _Plan, scope: _Scope, view: Callable[[Key], View], seen: Seen) -> None:
    # An enum is open: any number may come, a negative one too, and it is as if nothing were said.
    quoted = {name: max(0, getattr(message, name)) for name in plan.quoting}
    remained = 0
    for descriptor, value in message.ListFields():
        rule = plan.rules[descriptor.number]
        if rule.plan is not None:
            _clean_messages(message, rule, value, scope, view, seen)
            continue
        category = quoted[rule.quotes] if rule.quotes else rule.category
        if rule.is_reference or rule.said or not scope.shown >> category & 1:
            message.ClearField(rule.name)
        else:
            remained |= 1 << category
    for rule in plan.said:
        _say(message, rule, scope)
    if remained:
        seen.add(scope.key, remained)


def _say(message: Message, rule: _Rule, scope: _Scope) -> None:
    sibling, text = rule.said or ("", "")
    if scope.shown >> rule.category & 1 and not message.HasField(sibling):
        setattr(message, rule.name, text)


def _clean_messages(
    message: Message, rule: _Rule, value: Any, scope: _Scope, view: Callable[[Key], View], seen: Seen
) -> None:
    plan = rule.plan
    assert plan is not None  # noqa: S101 - the caller has looked
    if not rule.is_repeated:
        if not _keeps(value, plan, scope, view, seen):
            message.ClearField(rule.name)
        return
    for place in range(len(value) - 1, -1, -1):
        if not _keeps(value[place], plan, scope, view, seen):
            del value[place]


def _keeps(value: Message, plan: _Plan, scope: _Scope, view: Callable[[Key], View], seen: Seen) -> bool:
    """Clean a sub-message; tells whether anything of it remains."""
    if plan.row:
        key = _key(value, plan)
        scope = _scope(key, plan.row, view(key))
        if not scope.shown >> plan.row & 1:
            return False
    _clean(value, plan, scope, view, seen)
    return bool(value.ListFields())


def _references(message: Message, plan: _Plan) -> Iterator[Key]:
    if plan.row:
        yield _key(message, plan)
    if not plan.has_records:
        return
    for descriptor, value in message.ListFields():
        inner = plan.rules[descriptor.number].plan
        if inner is not None and (inner.row or inner.has_records):
            for one in value if descriptor.is_repeated else (value,):
                yield from _references(one, inner)


def _key(message: Message, plan: _Plan) -> Key:
    reference = getattr(message, plan.reference)
    return (reference.subject_id, reference.source_agency_id, reference.record_id)


@cache
def _plan(descriptor: Descriptor) -> _Plan:
    record = labels.person_record(descriptor)
    reference = labels.reference_field(descriptor)
    if record is not None and reference is None:
        raise labels.ContractError(f"{descriptor.full_name} is a record about a person without a reference")
    rules = {one.number: _rule(one) for one in descriptor.fields}
    plans = [rule.plan for rule in rules.values() if rule.plan is not None]
    return _Plan(
        rules=rules,
        row=int(record.row_category) if record else 0,
        reference=reference.name if reference else "",
        has_records=any(plan.row or plan.has_records for plan in plans),
        quoting=tuple(sorted({rule.quotes for rule in rules.values() if rule.quotes})),
        said=tuple(rule for rule in rules.values() if rule.said),
    )


def _rule(one: FieldDescriptor) -> _Rule:
    if one.message_type is _REFERENCE:
        return _Rule(one.name, is_reference=True)
    if not labels.is_leaf(one):
        return _Rule(one.name, plan=_plan(one.message_type), is_repeated=one.is_repeated)
    said = labels.said_when_absent(one)
    return _Rule(
        one.name,
        category=labels.category(one),
        quotes=labels.category_from(one),
        said=(said.field, said.text) if said else None,
    )
