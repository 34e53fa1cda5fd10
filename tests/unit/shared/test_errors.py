"""One error family, whose every part is public."""

from __future__ import annotations

import pickle

import grpc
import pytest

from services.shared import errors
from services.shared.errors import Code, LeadError, Violation


def test_every_code_is_a_code_of_grpc_by_the_same_name() -> None:
    known = {status.name for status in grpc.StatusCode}
    assert {code.value for code in Code} <= known


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (errors.not_found(), Code.NOT_FOUND, "NOT_FOUND"),
        (errors.failed_precondition("NO_OFFER", "x"), Code.FAILED_PRECONDITION, "NO_OFFER"),
        (errors.aborted("x"), Code.ABORTED, "STALE_ETAG"),
        (errors.already_exists("KEY_REUSED", "x"), Code.ALREADY_EXISTS, "KEY_REUSED"),
        (errors.permission_denied("PURPOSE_REFUSED", "x"), Code.PERMISSION_DENIED, "PURPOSE_REFUSED"),
        (errors.unauthenticated("x"), Code.UNAUTHENTICATED, "UNAUTHENTICATED"),
        (errors.exhausted("x"), Code.RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED"),
        (errors.unavailable("x"), Code.UNAVAILABLE, "UNAVAILABLE"),
    ],
)
def test_each_refusal_has_its_code_and_reason(error: LeadError, code: Code, reason: str) -> None:
    assert (error.code, error.reason, error.violations) == (code, reason, ())


def test_invalid_names_all_wrong_fields_at_once() -> None:
    wrong = [Violation("siteId", "a site's slug"), Violation("charges[1].statute", "at most 40 characters")]
    error = errors.invalid(field for field in wrong)
    assert error.code is Code.INVALID_ARGUMENT
    assert error.violations == tuple(wrong)


def test_absent_and_withheld_are_told_with_one_sentence() -> None:
    assert errors.not_found().args == errors.not_found().args


def test_an_error_tells_code_reason_and_text_and_no_field() -> None:
    error = errors.invalid([Violation("person.birthDate", "a date")])
    assert str(error) == "INVALID_ARGUMENT INVALID_FIELDS: Some fields are not acceptable."


def test_an_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(errors.invalid([Violation("siteId", "a slug")])))  # noqa: S301 - our own bytes
    assert isinstance(error, LeadError)
    assert error.violations == (Violation("siteId", "a slug"),)
