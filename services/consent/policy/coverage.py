"""Every cell that a public method can ask for has a row of the matrix, or a note that says why it has none."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources

from google.protobuf.descriptor import Descriptor, MethodDescriptor
from lead.options.v1 import options_pb2, words_pb2

from services.consent.policy.compile import Policy
from services.consent.policy.matrix import cells
from services.consent.policy.problem import Problem
from services.shared import labels
from services.shared.sharing.purposes import ALLOWED, MATRIX_ROLES, NO_ROLE

Cell = tuple[str, str, str]
"""(matrix role, category, purpose), in words."""


def uncovered(policy: Policy) -> Iterator[Problem]:
    """Yield the cells without row and note, and the notes that no cell needs any more."""
    named = _named(policy)
    silent = {cell[:2] for cell in asked() if cell not in named}
    noted = {(role, category) for role, notes in _notes().items() for category in notes}
    for role, category in sorted(silent - noted):
        yield Problem("UNCOVERED", (), f"{role} can ask for {category}: it has no row and no default-deny note")
    for role, category in sorted(noted - silent):
        yield Problem("UNCOVERED", (), f"the default-deny note on {category} for {role} explains nothing")


@lru_cache(maxsize=1)
def _named(policy: Policy) -> frozenset[Cell]:
    return frozenset((cell.role, cell.category, cell.purpose) for cell in cells(policy) if cell.rows)


def asked() -> set[Cell]:
    """Return every cell that a public method can ask for."""
    return {cell for method in labels.public_methods() for cell in _of(method)}


def _of(method: MethodDescriptor) -> Iterator[Cell]:
    access = labels.access(method)
    if access is None:
        return
    purposes = {words_pb2.Purpose.Name(one).removeprefix("PURPOSE_") for one in access.purposes}
    for matrix, callers in _callers(access).items():
        categories = set(_categories(method.output_type, callers, frozenset()))
        for purpose in purposes & set(ALLOWED[matrix]):
            yield from ((matrix, category, purpose) for category in categories)


def _callers(access: options_pb2.Access) -> Mapping[str, frozenset[int]]:
    """Return the matrix roles that may call, each with the contract's roles that it has there."""
    found: dict[str, frozenset[int]] = {}
    for (role, kind), matrix in MATRIX_ROLES.items():
        number = words_pb2.Role.Value("ROLE_" + role.upper())
        kinds = {words_pb2.AgencyKind.Name(one).removeprefix("AGENCY_KIND_").lower() for one in access.kinds}
        if number in access.roles and matrix != NO_ROLE and (not kinds or kind in kinds):
            found[matrix] = found.get(matrix, frozenset()) | {number}
    return found


def _categories(message: Descriptor, callers: frozenset[int], row: frozenset[str]) -> Iterator[str]:
    """Yield the categories of all leaves; `row` are those that the record around may have."""
    row = _row(message, callers) or row
    for field in message.fields:
        if field.message_type is not None and not labels.is_leaf(field):
            yield from _categories(field.message_type, callers, row)
        elif labels.of_row(field):
            yield from row
        elif number := labels.category(field):
            yield from _word(number)


def _row(message: Descriptor, callers: frozenset[int]) -> frozenset[str]:
    """Return the row categories that a record of this message may have; none when it is no record."""
    record = labels.person_record(message)
    if record is None:
        return frozenset()
    if record.row_category_by_source_kind:
        return _enrolments()
    # Only events say their category themselves.
    return _told(callers) if record.row_category_from else _word(record.row_category)


@cache
def _told(callers: frozenset[int]) -> frozenset[str]:
    """Return the row categories of events that are told to these roles: those that they may read somewhere."""
    found: frozenset[str] = frozenset()
    for message in (one for file in labels.area_files() for one in file.message_types_by_name.values()):
        said = labels.event_options(message)
        if said is not None and any(_may_call(callers, reading.method) for reading in said.readings):
            found |= _enrolments() if said.row_category_by_source_kind else _word(said.row_category)
    return found


def _may_call(callers: frozenset[int], method: str) -> bool:
    access = next((labels.access(one) for one in labels.public_methods() if one.full_name == method), None)
    return access is not None and not callers.isdisjoint(access.roles)


def _enrolments() -> frozenset[str]:
    return frozenset().union(*(_word(one) for one in labels.enrolment_categories()))


def _word(number: int) -> frozenset[str]:
    return frozenset(labels.words(labels.bit(number)))


def _notes() -> Mapping[str, Mapping[str, str]]:
    text = resources.files(__package__).joinpath("default_deny.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
