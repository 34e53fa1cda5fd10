"""Redaction: what remains of an answer is what its caller may see, field by field.

A message is walked by its descriptor. A record about a person whose row category is not shown is removed whole; then
every leaf whose need set is not met is cleared, emptied sub-messages are pruned and references are stripped. What is
not labelled is never shown. Nothing here decides: views come from the decision.

What a record says of its own changes is redacted likewise: when it changed last is when what its reader sees of it did.
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
When = tuple[int, int]
"""A moment, in seconds and nanoseconds; `NEVER` comes before all."""

NEVER: When = (0, 0)
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
    of_row: bool = False
    said: tuple[str, str] | None = None


@dataclass(slots=True)
class _Plan:
    """How one message type is treated; compiled once."""

    rules: dict[int, _Rule]
    # Whether it is a record about a person.
    is_record: bool = False
    # Number of the row category, unless the kind of the source or a field says it.
    row: int = 0
    row_by_kind: bool = False
    row_from: str = ""
    # Says when what is seen of it changed last.
    last_change: _Rule | None = None
    reference: str = ""
    has_records: bool = False
    quoting: tuple[str, ...] = ()
    said: tuple[_Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scope:
    key: Key
    row: int
    shown: int


def references(message: Message) -> Iterator[Key]:
    """Yield the key of every record about a person in the message, nested ones too."""
    yield from _references(message, _plan(message.DESCRIPTOR))


def redact(message: Message, view: Callable[[Key], View], since: When | None = None) -> Seen:
    """Clear everything that may not be seen, in place; returns what remained.

    `view` is asked for each record's key, and for `NO_RECORD`. Of the records in the message's own lists only those
    stay of which something that is seen changed after `since`. Unknown fields are dropped first, deep: an older gateway
    must not pass what it cannot label.
    """
    message.DiscardUnknownFields()
    plan, seen = _plan(message.DESCRIPTOR), Seen()
    scope = _scope(NO_RECORD, 0, view(NO_RECORD))
    for descriptor, value in message.ListFields() if since is not None else ():
        inner = plan.rules[descriptor.number].plan
        if inner is not None and inner.is_record and descriptor.is_repeated:
            _drop_unchanged(value, inner, scope, view, since or NEVER)
    _clean(message, plan, scope, view, seen)
    return seen


def _drop_unchanged(rows: Any, plan: _Plan, scope: _Scope, view: Callable[[Key], View], since: When) -> None:
    for place in range(len(rows) - 1, -1, -1):
        if _changed(rows[place], plan, scope, view) <= since:
            del rows[place]


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
    return _Scope(key, row, shown(view.visible, row, view.source_kind, view.part2))


def _scope_of(message: Message, plan: _Plan, view: Callable[[Key], View]) -> _Scope | None:
    """Return what may be seen of a record, None when it is absent as a whole."""
    key = _key(message, plan)
    of_source = view(key)
    row = plan.row
    if plan.row_by_kind:
        row = labels.enrolment_category(of_source.source_kind)
    elif plan.row_from:
        row = max(0, getattr(message, plan.row_from))
    scope = _scope(key, row, of_source)
    return scope if row and scope.shown >> row & 1 else None


def _changed(message: Message, plan: _Plan, scope: _Scope, view: Callable[[Key], View]) -> When:
    """Return when something last changed that is seen of a message and of what is inside it."""
    found = NEVER
    if plan.is_record:
        of_record = _scope_of(message, plan, view)
        if of_record is None:
            return NEVER
        scope = of_record
        changes = getattr(message, plan.reference).changes
        found = max(
            ((one.time.seconds, one.time.nanos) for one in changes if scope.shown >> one.category & 1), default=NEVER
        )
    if plan.has_records:
        for descriptor, value in message.ListFields():
            inner = plan.rules[descriptor.number].plan
            if inner is not None and (inner.is_record or inner.has_records):
                for one in value if descriptor.is_repeated else (value,):
                    found = max(found, _changed(one, inner, scope, view))
    return found


def _clean(message: Message, plan: _Plan, scope: _Scope, view: Callable[[Key], View], seen: Seen) -> None:
    # An enum is open: any number may come, a negative one too, and it is as if nothing were said.
    quoted = {name: max(0, getattr(message, name)) for name in plan.quoting}
    remained = 0
    for descriptor, value in message.ListFields():
        rule = plan.rules[descriptor.number]
        if rule.plan is not None:
            _clean_messages(message, rule, value, scope, view, seen)
            continue
        category = _category(rule, scope, quoted)
        if rule.is_reference or rule.said or not scope.shown >> category & 1:
            message.ClearField(rule.name)
        else:
            remained |= 1 << category
    for rule in plan.said:
        _say(message, rule, scope)
    if remained:
        seen.add(scope.key, remained)


def _category(rule: _Rule, scope: _Scope, quoted: dict[str, int]) -> int:
    if rule.of_row:
        return scope.row
    return quoted[rule.quotes] if rule.quotes else rule.category


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
    if plan.is_record:
        of_record = _scope_of(value, plan, view)
        if of_record is None:
            return False
        if plan.last_change is not None:
            _date(value, plan.last_change.name, _changed(value, plan, scope, view))
        scope = of_record
    _clean(value, plan, scope, view, seen)
    return bool(value.ListFields())


def _date(value: Message, name: str, when: When) -> None:
    # Of a change that is not seen, the time is not either.
    if when == NEVER:
        value.ClearField(name)
    else:
        moment = getattr(value, name)
        moment.seconds, moment.nanos = when


def _references(message: Message, plan: _Plan) -> Iterator[Key]:
    if plan.is_record:
        yield _key(message, plan)
    if not plan.has_records:
        return
    for descriptor, value in message.ListFields():
        inner = plan.rules[descriptor.number].plan
        if inner is not None and (inner.is_record or inner.has_records):
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
    dated = labels.last_change(descriptor)
    return _Plan(
        rules=rules,
        is_record=record is not None,
        row=int(record.row_category) if record else 0,
        row_by_kind=record.row_category_by_source_kind if record else False,
        row_from=record.row_category_from if record else "",
        last_change=rules[dated.number] if dated else None,
        reference=reference.name if reference else "",
        has_records=any(plan.is_record or plan.has_records for plan in plans),
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
        of_row=labels.of_row(one),
        said=(said.field, said.text) if said else None,
    )
