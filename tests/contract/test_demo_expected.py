"""The demo's own copy of what the matrix foretells says what the test table says, and covers what is built."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import Descriptor

from services.command.demo import expected
from services.command.demo.expected import Release
from services.command.demo.viewers import VIEWERS
from services.shared import labels
from services.shared.sharing import purposes
from tests.support import matrix

RELEASES: tuple[Release, ...] = ("without_release", "full_release")
DEMO = matrix.table()["demo"]


def carried(message: Descriptor, known: set[str]) -> set[str]:
    """The category words of all leaf fields below a message."""
    found: set[str] = set()
    if message.full_name in known:
        return found
    known.add(message.full_name)
    for field in message.fields:
        if field.message_type is not None and not labels.is_leaf(field):
            found |= carried(field.message_type, known)
        elif labels.of_row(field):
            found.update(word for number in labels.enrolment_categories() for word in labels.words(labels.bit(number)))
        elif labels.category(field):
            found.update(labels.words(labels.bit(labels.category(field))))
    return found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("part2", [False, True])
def test_the_demo_expects_what_the_matrix_foretells(release: Release, part2: bool) -> None:
    variant = f"{release}_part2" if part2 else release
    assert expected.table(release, part2=part2) == matrix.demo_table(variant)


def test_the_demo_prints_a_dash_where_the_matrix_table_does() -> None:
    assert expected.dashes() == matrix.demo_dashes()


def test_presence_is_read_off_the_records_of_the_case_agency_alone() -> None:
    of_case_agency = {one["message"] for one in DEMO["records"].values() if one["source"] == "C"}
    others = {one["message"] for one in DEMO["records"].values() if one["source"] != "C" and "message" in one}
    assert {name for name in of_case_agency | others if expected.is_of_case_agency(name)} == of_case_agency


def test_presence_itself_is_what_part2_programs_alone_carry() -> None:
    by_source = {(one["source"], word) for one in DEMO["records"].values() for word in one["categories"]}
    assert {source for source, word in by_source if expected.is_presence_itself(word)} == {"T"}


def test_presence_is_not_read_off_what_has_conditions_of_its_own() -> None:
    never = set(matrix.table()["need_set"]["never_to"])
    assert {word for word in matrix.table()["categories"] if not expected.tells_presence(word)} == never


def test_the_viewers_of_the_demo_are_those_of_the_matrix_table() -> None:
    roles = {viewer.name: purposes.matrix_role(viewer.role, viewer.kind) for viewer in VIEWERS}
    assert roles == {name: one["role"] for name, one in DEMO["roles"].items()}


def test_no_built_call_carries_what_prints_a_dash() -> None:
    found = set[str]().union(*(carried(method.output_type, set()) for method in labels.public_methods()))
    # The safety flag is a case note, and the story has none; a comparison is answered to who registers it, and read by
    # nobody.
    assert found & expected.dashes() == {"CASE_NOTES", "LINKED_RESEARCH"}
    assert found | expected.dashes() | {expected.PRESENCE} == set(matrix.table()["categories"])
