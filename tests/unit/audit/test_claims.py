from __future__ import annotations

import pytest

from services.audit.claims import Claims
from services.audit.merkle import LedgerError


def test_a_mark_is_claimed_by_one_at_a_time() -> None:
    claims = Claims()
    [first, bare], fresh = claims.take([b"a", None])
    [second, other_bare, third], again = claims.take([b"a", None, b"b"])
    assert fresh == [True, True]
    assert again == [False, True, True]
    assert first is second
    assert bare is not other_bare
    claims.settle([first, third], [7, 8])
    assert second.place.result(0) == 7
    assert claims.take([b"a"])[1] == [True]


def test_all_who_wait_learn_of_a_failure_and_may_try_again() -> None:
    claims = Claims()
    taken, _ = claims.take([b"a", b"b"])
    claims.settle(taken[:1], [0])
    claims.fail(taken, ValueError("Testa Sample"))
    assert taken[0].place.result(0) == 0
    with pytest.raises(LedgerError, match="NOT_DURABLE") as failed:
        taken[1].place.result(0)
    assert "Testa" not in str(failed.value)
    assert claims.take([b"b"])[1] == [True]


def test_an_old_claim_does_not_end_a_newer_one() -> None:
    claims = Claims()
    [old], _ = claims.take([b"a"])
    claims.fail([old], LedgerError("LATE", "too late"))
    claims.take([b"a"])
    claims.fail([old], LedgerError("LATE", "too late"))
    assert claims.take([b"a"])[1] == [False]
