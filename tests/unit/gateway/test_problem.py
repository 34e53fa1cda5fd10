from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transcode.problem import Problem, body_too_large, method_not_allowed, problem, unsupported_media_type
from services.shared import errors
from services.shared.errors import Code, LeadError, Violation

REQUEST_ID = "0198c1e2-0000-7000-8000-000000000001"


def members(answer: Problem) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.invalid([]), 400),
        (LeadError(Code.OUT_OF_RANGE, "OUT_OF_RANGE", ""), 400),
        (errors.unauthenticated(""), 401),
        (errors.permission_denied("PURPOSE_REFUSED", ""), 403),
        (errors.not_found(), 404),
        (LeadError(Code.UNIMPLEMENTED, "UNIMPLEMENTED", ""), 404),
        (method_not_allowed(("GET",)), 405),
        (errors.aborted(""), 409),
        (errors.already_exists("KEY_REUSED", ""), 409),
        (errors.failed_precondition("ILLEGAL_MOVE", ""), 409),
        (body_too_large(9), 413),
        (unsupported_media_type("application/json"), 415),
        (errors.exhausted(""), 429),
        (LeadError(Code.INTERNAL, "INTERNAL", ""), 500),
        (errors.unavailable(""), 503),
        (LeadError(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", ""), 503),
    ],
)
def test_every_kind_of_failure_has_its_status(error: LeadError, status: int) -> None:
    answer = problem(error, REQUEST_ID)
    assert (answer.status, members(answer)["status"]) == (status, status)


@pytest.mark.parametrize("code", list(Code))
def test_no_code_is_without_a_status(code: Code) -> None:
    assert 400 <= problem(LeadError(code, "ANY", "text"), REQUEST_ID).status <= 503


def test_a_problem_names_every_wrong_path() -> None:
    error = errors.invalid([Violation("charges[2].statute", "a string"), Violation("door", "one of …")])
    answer = problem(error, REQUEST_ID)
    assert members(answer) == {
        "type": "urn:leadx:problem:INVALID_FIELDS",
        "title": "Bad Request",
        "status": 400,
        "detail": "Some fields are not acceptable.",
        "reason": "INVALID_FIELDS",
        "violations": [{"path": "charges[2].statute", "wish": "a string"}, {"path": "door", "wish": "one of …"}],
        "requestId": REQUEST_ID,
    }
    assert answer.headers == (("content-type", "application/problem+json"),)


def test_absent_and_withheld_do_not_differ_by_a_byte() -> None:
    absent = problem(errors.not_found(), REQUEST_ID)
    withheld = problem(LeadError(Code.NOT_FOUND, "CONSENT_REVOKED", "gone", (Violation("id", "x"),)), REQUEST_ID)
    assert absent == withheld
    other = problem(errors.not_found(), REQUEST_ID[::-1])
    assert other.body.replace(REQUEST_ID[::-1].encode(), REQUEST_ID.encode()) == absent.body


@pytest.mark.parametrize("error", [errors.exhausted("later"), errors.unavailable("later")])
def test_who_should_come_again_is_told_when(error: LeadError) -> None:
    assert ("retry-after", "1") in problem(error, REQUEST_ID).headers


def test_who_did_not_say_who_he_is_is_told_how() -> None:
    assert ("www-authenticate", "Bearer") in problem(errors.unauthenticated("x"), REQUEST_ID).headers


@given(st.sampled_from(list(Code)), st.text(), st.lists(st.builds(Violation, st.text(), st.text())))
def test_any_error_is_a_readable_problem(code: Code, text: str, violations: list[Violation]) -> None:
    answer = problem(LeadError(code, "ANY", text, tuple(violations)), REQUEST_ID)
    assert members(answer)["requestId"] == REQUEST_ID
