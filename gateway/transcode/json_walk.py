"""Walks JSON along the contract and names every wrong path at once, never a value (contract.md, Rules).

`json_format` stops at the first error, echoes values, accepts enum numbers that mean nothing and merges repeated names:
it is only given what has passed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from lead.options.v1 import options_pb2

from gateway.transcode import json_leaf, json_text
from services.shared import never_carried
from services.shared.errors import Violation

MOST_ITEMS = 5_000
# A list of 5,000 items may be wrong in every one; beyond twice that nobody reads on.
MOST_VIOLATIONS = 10_000

# A name that a field could have. Any other key may be a value in the wrong place and is not repeated.
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)

# Fields that are given elsewhere: proto name and where, `("id", "given by the path")`.
Elsewhere = tuple[tuple[str, str], ...]


def check(descriptor: Descriptor, data: bytes, elsewhere: Elsewhere = ()) -> tuple[Any, tuple[Violation, ...]]:
    """Return the JSON value for a message of this kind, and everything that is wrong with it.

    Only a value without violations may be parsed. Paths are lowerCamelCase and begin inside the message; the path of
    the message itself is empty.
    """
    wrong: list[Violation] = []
    try:
        value = json_text.read(data)
    except json_text.JsonError as error:
        return None, (Violation("", error.wish),)
    try:
        walker(descriptor, elsewhere).walk(value, "", wrong)
    except _EnoughError:
        wrong.append(Violation("", "more is wrong than is listed here"))
    return value, tuple(wrong)


class Field:
    """A field of a message as JSON has it."""

    __slots__ = ("check", "inner", "json", "kind", "name", "repeated")

    def __init__(self, field: FieldDescriptor) -> None:
        """Compile the field. Raises `ContractError` on a kind that no JSON is read into."""
        self.name = field.name
        self.json = field.json_name
        self.kind = field.type
        self.repeated = field.is_repeated
        self.check = json_leaf.check(field)
        self.inner = field.message_type


class Walker:
    """Knows the fields of one message. Made once per message, read by all."""

    __slots__ = ("_choices", "_elsewhere", "fields")

    def __init__(self, descriptor: Descriptor, elsewhere: Elsewhere) -> None:
        """Compile the message. Raises `ContractError` on a field that no JSON is read into."""
        gone = dict(elsewhere)
        named = {field.name: Field(field) for field in descriptor.fields if field.name not in gone and _writable(field)}
        # Either spelling of a field's name, as proto3 JSON reads both.
        self.fields = named | {field.json: field for field in named.values()}
        self._elsewhere = gone | {descriptor.fields_by_name[name].json_name: wish for name, wish in elsewhere}
        # An `optional` field is, for protobuf, a choice of one.
        choices = ([named[f.name] for f in choice.fields if f.name in named] for choice in descriptor.oneofs)
        self._choices = tuple(choice for choice in choices if len(choice) > 1)

    def walk(self, value: object, path: str, wrong: list[Violation]) -> None:
        """Add what is wrong with this value, which stands at `path`."""
        if not isinstance(value, dict):
            _note(wrong, path, "an object")
            return
        for name in value.doubled if isinstance(value, json_text.Doubled) else ():
            _note(wrong, _join(path, self._shown(name)), "given once")
        for name, item in value.items():
            field = self.fields.get(name)
            if field is None:
                _note(wrong, _join(path, shown(name)), self.refusal(name))
            elif name != field.json and field.json in value:
                _note(wrong, _join(path, field.json), "given once, spelled like this")
            elif item is not None:
                # In proto3 JSON null says "not given", everywhere but inside a list.
                _values(field, item, _join(path, field.json), wrong)
        for choice in self._choices:
            _choose(choice, value, path, wrong)

    def refusal(self, name: str) -> str:
        """Return why there is no field of this name here."""
        if name in self._elsewhere:
            return self._elsewhere[name]
        reason = never_carried.by_name(name) if len(name) <= 64 else None
        return never_carried.WISHES[reason] if reason else "unknown field"

    def _shown(self, name: str) -> str:
        field = self.fields.get(name)
        return field.json if field else shown(name)


@cache
def walker(descriptor: Descriptor, elsewhere: Elsewhere = ()) -> Walker:
    """Return the one walker of a message. Raises `ContractError` on a field that no JSON is read into."""
    return Walker(descriptor, elsewhere)


def prepare(descriptor: Descriptor, elsewhere: Elsewhere = ()) -> None:
    """Compile a message and all that it holds. Raises `ContractError` on a field that no JSON is read into."""
    waiting, seen = [walker(descriptor, elsewhere)], {descriptor}
    while waiting:
        for field in waiting.pop().fields.values():
            if field.check is None and field.inner and field.inner not in seen:
                seen.add(field.inner)
                waiting.append(walker(field.inner))


def shown(name: str) -> str:
    """Return the name if it could be a field's, otherwise `?`: what was sent is never repeated."""
    return name if _NAME.fullmatch(name) else "?"


def _writable(field: FieldDescriptor) -> bool:
    """Tell whether a client may write the field: whose record it is, is for the exchange to know."""
    return field.message_type is None or field.message_type is not options_pb2.Reference.DESCRIPTOR


def _values(field: Field, value: object, path: str, wrong: list[Violation]) -> None:
    if not field.repeated:
        _value(field, value, path, wrong)
        return
    if not isinstance(value, list):
        _note(wrong, path, "a list")
        return
    if len(value) > MOST_ITEMS:
        _note(wrong, path, f"at most {MOST_ITEMS} items")
    for position, item in enumerate(value[:MOST_ITEMS]):
        _value(field, item, f"{path}[{position}]", wrong)


def _value(field: Field, value: object, path: str, wrong: list[Violation]) -> None:
    if field.check is not None:
        wish = field.check(value)
        if wish is not None:
            _note(wrong, path, wish)
    elif field.inner is not None:
        walker(field.inner).walk(value, path, wrong)


def _choose(choice: Iterable[Field], value: dict[str, Any], path: str, wrong: list[Violation]) -> None:
    given = [field.json for field in choice if value.get(field.json, value.get(field.name)) is not None]
    for name in given[1:]:
        _note(wrong, _join(path, name), f"not together with {given[0]}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _note(wrong: list[Violation], path: str, wish: str) -> None:
    if len(wrong) >= MOST_VIOLATIONS:
        raise _EnoughError
    wrong.append(Violation(path, wish))


class _EnoughError(Exception):
    """So much is wrong that the rest is not listed."""
