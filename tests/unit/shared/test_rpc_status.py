"""LeadError over the wire and back."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from services.shared.errors import Code, LeadError, Violation, invalid
from services.shared.rpc import status

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ERRORS = st.builds(
    LeadError,
    st.sampled_from(Code),
    TEXT,
    TEXT,
    st.lists(st.builds(Violation, TEXT, TEXT), max_size=5).map(tuple),
)


def parts(error: LeadError) -> tuple[object, ...]:
    return error.code, error.reason, error.text, error.violations


@given(ERRORS)
def test_an_error_comes_back_as_it_was_sent(error: LeadError) -> None:
    sent = status.to_status(error, "req-1")
    got = status.decode(status.grpc_code(error.code), status.trailing(sent))
    assert parts(got) == parts(error)


@given(st.binary(max_size=200))
def test_broken_details_become_a_general_error(details: bytes) -> None:
    got = status.decode(grpc.StatusCode.NOT_FOUND, [(status.DETAILS, details)])
    assert got.code is Code.NOT_FOUND


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_every_code_of_grpc_has_a_public_error(code: grpc.StatusCode) -> None:
    got = status.decode(code, None)
    assert got.code.value == code.name or got.code is Code.INTERNAL
    assert got.text


def test_details_of_another_domain_are_not_believed() -> None:
    foreign = status_pb2.Status(code=grpc.StatusCode.NOT_FOUND.value[0], message="Testa Sample is not known")
    foreign.details.add().Pack(error_details_pb2.ErrorInfo(reason="OTHER", domain="elsewhere"))
    got = status.decode(grpc.StatusCode.NOT_FOUND, status.trailing(foreign))
    assert "Testa" not in got.text + got.reason


def test_violations_beyond_the_limit_are_counted_in_the_last_one() -> None:
    error = invalid(Violation(f"charges[{number}].statute", "is required") for number in range(5001))
    sent = status.to_status(error, largest=8000)
    got = status.decode(grpc.StatusCode.INVALID_ARGUMENT, status.trailing(sent))
    shown = len(got.violations) - 1
    assert sent.ByteSize() <= 8000
    assert got.violations[:-1] == error.violations[:shown]
    assert got.violations[-1].wish.startswith(f"and {5001 - shown} more")


def test_three_thousand_violations_fit_the_default() -> None:
    error = invalid(Violation(f"charges[{number}].statute", "is required") for number in range(3000))
    sent = status.to_status(error)
    assert len(status.decode(grpc.StatusCode.INVALID_ARGUMENT, status.trailing(sent)).violations) == 3000
