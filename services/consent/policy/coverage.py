"""Every cell that a public method can ask for has a row of the matrix, or a note that says why it has none."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources

from google.protobuf.descriptor import Descriptor, MethodDescriptor
from lead.options.v1 import words_pb2

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
    categories = set(_categories(method.output_type))
    purposes = {words_pb2.Purpose.Name(one).removeprefix("PURPOSE_") for one in access.purposes}
    roles = {words_pb2.Role.Name(one).removeprefix("ROLE_").lower() for one in access.roles}
    matrix_roles = {matrix for (role, _), matrix in MATRIX_ROLES.items() if role in roles and matrix != NO_ROLE}
    for matrix in matrix_roles:
        for purpose in purposes & set(ALLOWED[matrix]):
            yield from ((matrix, category, purpose) for category in categories)


def _categories(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        if field.message_type is not None and not labels.is_leaf(field):
            yield from _categories(field.message_type)
        elif number := labels.category(field):
            yield words_pb2.Category.Name(words_pb2.Category.ValueType(number)).removeprefix("CATEGORY_")


def _notes() -> Mapping[str, Mapping[str, str]]:
    text = resources.files(__package__).joinpath("default_deny.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
