"""The Cedar policies against the table that was written from the matrix and the law notes, cell by cell.

Two derivations of one page by two hands. Where they differ the matrix row is read again, and who misread it changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import pytest
from google.protobuf.descriptor import Descriptor
from lead.audit.v1 import audit_pb2
from lead.casework.v1 import casework_pb2
from lead.consent.v1 import consent_pb2
from lead.options.v1 import options_pb2, words_pb2
from lead.provider.v1 import provider_pb2
from lead.referral.v1 import referral_pb2
from lead.review.v1 import review_pb2

from services.consent.policy.compile import Masks, Policy
from services.consent.policy.facts import Fact
from services.shared.sharing.need import need
from services.shared.sharing.purposes import ALLOWED, ROLES
from tests.support import matrix
from tests.support.matrix import Verdict

# These two the policy is told by `own_source` alone.
SAID_BY_SOURCE = frozenset({"own_source", "other_agency"})
# Kinds of agency, and what no agency sourced.
SOURCES = (*matrix.table()["source_kinds"], "none")
SHOWN = 20
FILES = (audit_pb2, casework_pb2, consent_pb2, referral_pb2, review_pb2, provider_pb2)
MESSAGES: dict[str, Descriptor] = {
    message.full_name: message for file in FILES for message in file.DESCRIPTOR.message_types_by_name.values()
}


class Question(NamedTuple):
    """Everything a mask depends on but approval and break-glass."""

    role: str
    purpose: str
    source_kind: str
    own: bool
    facts: frozenset[str]

    def __str__(self) -> str:
        known = " ".join(sorted(self.facts)) or "nothing"
        return f"{self.role} {self.purpose} source={self.source_kind} own={self.own} known: {known}"


def everything(role: str, purpose: str) -> list[frozenset[str]]:
    """No fact, all, all that widen, and all that no row asks for here."""
    every = frozenset(matrix.table()["facts"]) - SAID_BY_SOURCE
    return list(dict.fromkeys([frozenset(), every, widening(), every - matrix.relevant_facts(role, purpose)]))


def one_by_one(role: str, purpose: str) -> list[frozenset[str]]:
    """Each fact that a row asks for here: alone, and missing from all."""
    every = frozenset(matrix.table()["facts"]) - SAID_BY_SOURCE
    alone = [frozenset({fact}) for fact in matrix.relevant_facts(role, purpose) - SAID_BY_SOURCE]
    return alone + [every - one for one in alone]


@cache
def widening() -> frozenset[str]:
    """All facts but those that withhold what would be shown without them."""
    withhold = (cell.unless for cell in matrix.cells() if cell.rule != "deny")
    return frozenset(matrix.table()["facts"]).difference(SAID_BY_SOURCE, *withhold)


def questions(role: str) -> Iterator[Question]:
    """Each purpose the role may use, each kind of source, own where it can be, each fact set.

    Single facts are tried on one kind of source of each sort that a row tells apart, and on the own.
    """
    kinds = matrix.roles()[role].kinds
    for purpose, kind in product(matrix.roles()[role].purposes, SOURCES):
        single = one_by_one(role, purpose) if kind in kinds | sorts_of_source(role) else []
        for own in (False, True) if kind in kinds else (False,):
            for facts in (*everything(role, purpose), *single):
                yield Question(role, purpose, kind, own, facts)


@cache
def sorts_of_source(role: str) -> frozenset[str]:
    """One kind of source for each set of the role's rows that take it."""
    limits = [cell.source_kinds for cell in matrix.cells() if role in cell.roles and cell.source_kinds]
    return frozenset({tuple(kind in limit for limit in limits): kind for kind in SOURCES}.values())


def instruments(asked: Question) -> Iterator[tuple[bool, bool]]:
    """Approval and break-glass: all four where a row asks for one, else none, and both where most else is open."""
    cells = (cell for cell in matrix.cells() if asked.role in cell.roles)
    if any(cell.rule in ("approval", "glass") and asked.purpose in cell.purposes for cell in cells):
        yield from ((False, False), (False, True), (True, False), (True, True))
    else:
        yield from [(False, False), (True, True)] if asked.facts == widening() else [(False, False)]


def bit(word: str) -> int:
    return 1 << words_pb2.Category.Value(f"CATEGORY_{word}")


def ask(policy: Policy, asked: Question, approval: bool, glass: bool) -> Masks:
    role, purpose, kind, own, facts = asked
    known = frozenset(Fact(fact) for fact in facts)
    return policy.masks(role, purpose, kind, own, known, approval=approval, glass=glass)


def expected(asked: Question) -> dict[str, Verdict]:
    return {word: matrix.verdict(asked[0], word, *asked[1:]) for word in matrix.table()["categories"]}


def disagreements(policy: Policy, role: str) -> Iterator[str]:
    """One line a cell: what was asked, the rule and rows of the table, the rule and row of the policy."""
    for asked in questions(role):
        wanted = expected(asked)
        for approval, glass in instruments(asked):
            masks = ask(policy, asked, approval, glass)
            for word, verdict in wanted.items():
                want, got = under(verdict, approval, glass), Verdict(rule_of(masks, word), (masks.rule[word].row,))
                if got.rule != want.rule or got.rows[0] not in (want.rows or (0,)):
                    yield f"{word} for {asked}, approval={approval} glass={glass}: table {want}, policy {got}"


def under(verdict: Verdict, approval: bool, glass: bool) -> Verdict:
    """What an instrument makes of a cell that asks for one. Without it nothing names the cell."""
    if verdict.rule not in ("approval", "glass"):
        return verdict
    held = approval if verdict.rule == "approval" else glass
    return Verdict("allow", verdict.rows) if held else Verdict("deny", ())


def rule_of(masks: Masks, word: str) -> str:
    """The rule that two masks give a category; a bit in both is allow, as it is at a decision."""
    if masks.allow & bit(word):
        return "allow"
    return "consent" if masks.consent & bit(word) else "deny"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.load()


@pytest.mark.slow
@pytest.mark.parametrize("role", matrix.roles())
def test_cedar_compiles_to_the_table(policy: Policy, role: str) -> None:
    found = list(disagreements(policy, role))
    assert not found, f"{len(found)} cells differ\n" + "\n".join(found[:SHOWN])


@pytest.mark.parametrize("role", matrix.roles())
def test_a_purpose_the_role_may_not_use_opens_no_more_than_a_row_names(policy: Policy, role: str) -> None:
    """Such a purpose is refused before anybody asks for masks; this is the second lock, own source included."""
    own_kinds = matrix.roles()[role].kinds
    unused = [word for word in purposes() if word not in matrix.roles()[role].purposes]
    for purpose, kind in product(unused, sorted(own_kinds | {"police", "sud_treatment"})):
        asked = Question(role, purpose, kind, kind in own_kinds, widening())
        masks = ask(policy, asked, approval=True, glass=True)
        named = sum(bit(word) for word in matrix.table()["categories"] if matrix.cells_of(role, word, purpose))
        assert not (masks.allow | masks.consent) & ~named, str(asked)


@pytest.mark.parametrize("role", sorted(set(matrix.roles()) - {"operator"}))
def test_own_source_opens_nothing_to_those_who_are_no_agency(policy: Policy, role: str) -> None:
    role_ = matrix.roles()[role]
    asked = Question(role, role_.default, min(role_.kinds, default="police"), True, frozenset())
    seen = [word for word in matrix.table()["categories"] if rule_of(ask(policy, asked, False, False), word) != "deny"]
    if role_.kinds:
        assert seen == matrix.table()["categories"]
    else:
        assert set(seen) == {word for word, verdict in expected(asked).items() if verdict.rule != "deny"}


@pytest.mark.parametrize(
    "unknown",
    [
        Question("chief", "DIVERSION_COORD", "police", True, frozenset()),
        Question("police", "INVESTIGATION", "police", True, frozenset()),
        Question("police", "DIVERSION_COORD", "militia", True, frozenset()),
    ],
    ids=["role", "purpose", "source"],
)
def test_an_unknown_word_opens_nothing(policy: Policy, unknown: Question) -> None:
    masks = ask(policy, unknown, approval=True, glass=True)
    assert (masks.allow, masks.consent) == (0, 0)


def test_roles_have_the_purposes_of_the_table() -> None:
    assert {role: matrix.roles()[role].purposes[0] for role in ROLES} == {role: ALLOWED[role][0] for role in ROLES}
    assert {role: set(matrix.roles()[role].purposes) for role in ROLES} == {role: set(ALLOWED[role]) for role in ROLES}
    assert set(matrix.roles()) == set(ROLES)


@pytest.mark.parametrize("part2", ["yes", "no", "unknown"])
def test_need_sets_are_those_of_the_table(part2: str) -> None:
    """STAFF aside, whose need is that of the record it stands on (row 40)."""
    for word, kind in product(set(matrix.table()["categories"]) - {"STAFF"}, matrix.table()["source_kinds"]):
        for row in ("", "REFERRAL", "IDENTITY"):
            wanted = sum(bit(each) for each in matrix.need_set(word, kind, part2, about_person=bool(row)))
            assert need(word, row, kind, part2.upper()) == wanted, (word, row, kind)


def purposes() -> list[str]:
    return [name.removeprefix("PURPOSE_") for name in words_pb2.Purpose.keys()[1:]]


def test_the_words_are_those_of_the_contract() -> None:
    table = matrix.table()
    assert {f"CATEGORY_{word}" for word in table["categories"]} == set(words_pb2.Category.keys()[1:])
    assert {f"AGENCY_KIND_{word.upper()}" for word in table["source_kinds"]} == set(words_pb2.AgencyKind.keys()[1:])
    assert set(table["facts"]) - SAID_BY_SOURCE == set(Fact)
    assert {word for role in matrix.roles().values() for word in role.purposes} <= set(purposes())


def test_no_cell_holds_an_unknown_word() -> None:
    table = matrix.table()
    for cell in matrix.cells():
        assert cell.rule in matrix.RULES, cell
        assert cell.roles <= set(matrix.roles()), cell
        assert cell.categories <= set(table["categories"]), cell
        assert cell.purposes <= {*purposes(), "*", "default"}, cell
        assert cell.facts | cell.any_facts | cell.unless <= set(table["facts"]), cell
        assert cell.source_kinds is None or cell.source_kinds <= set(table["source_kinds"]), cell


def test_every_row_of_the_matrix_is_in_the_table() -> None:
    assert {matrix.table()["own_source"]["row"], *(cell.row for cell in matrix.cells())} == set(range(1, 43))


@pytest.mark.parametrize("cell", matrix.cells(), ids=lambda cell: f"row{cell.row}")
def test_every_role_and_purpose_of_a_row_meets_one_that_can_be_used(cell: matrix.Cell) -> None:
    met = {(name, p) for name in cell.roles for p in purposes() if p in matrix.roles()[name].purposes}
    met = {(name, p) for name, p in met if cell.serves(p, matrix.roles()[name])}
    assert {name for name, _ in met} == cell.roles
    assert cell.purposes - {"*", "default"} <= {purpose for _, purpose in met}


@pytest.mark.parametrize("role", matrix.roles())
def test_rows_of_different_rule_never_meet_in_a_cell(role: str) -> None:
    for asked in questions(role):
        expected(asked)


RECORDS = {name: record for name, record in matrix.table()["demo"]["records"].items() if "message" in record}


@pytest.mark.parametrize("name", RECORDS)
def test_the_records_of_the_demo_carry_what_their_messages_are_labelled(name: str) -> None:
    record = RECORDS[name]
    message = MESSAGES[record["message"]]
    said = message.GetOptions().Extensions[options_pb2.person_record]
    row = said.row_category
    if said.row_category_by_source_kind:
        kind = matrix.table()["demo"]["agencies"][record["source"]].upper()
        row = (
            words_pb2.AgencyKind.DESCRIPTOR.values_by_name[f"AGENCY_KIND_{kind}"]
            .GetOptions()
            .Extensions[words_pb2.enrolment_category]
        )
    carried = {*record["categories"], *record.get("absent", ())}
    assert words_pb2.Category.Name(row) == f"CATEGORY_{record['row']}"
    of_row = f"CATEGORY_{record['row']}"
    assert {f"CATEGORY_{word}" for word in carried} == set(labels(message, of_row)) - {"CATEGORY_SYSTEM"}


def labels(message: Descriptor, of_row: str) -> Iterator[str]:
    """The categories of the message's leaves, down to the records of other sources."""
    for field in message.fields:
        inner = field.message_type
        if field.GetOptions().HasExtension(options_pb2.of_row):
            yield of_row
        elif field.GetOptions().HasExtension(options_pb2.category):
            yield words_pb2.Category.Name(field.GetOptions().Extensions[options_pb2.category])
        elif inner is not None and not inner.GetOptions().HasExtension(options_pb2.person_record):
            yield from labels(inner, of_row)


@pytest.mark.parametrize("variant", matrix.VARIANTS)
def test_who_sees_what_follows_from_the_cells(variant: str) -> None:
    assert matrix.demo_table(variant) == matrix.derived_table(variant)


@pytest.mark.parametrize("variant", matrix.VARIANTS)
def test_a_category_that_no_call_carries_is_seen_by_nobody(variant: str) -> None:
    assert not matrix.demo_dashes() & frozenset().union(*matrix.demo_table(variant).values())
