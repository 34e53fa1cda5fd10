"""Lists: pages are filled over hidden rows, exactly, and tell nothing about what is hidden (Hypothesis)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead.audit.v1 import audit_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from gateway import pages
from services.shared.errors import Code
from tests.unit.gateway.exchange import REFERRED, Exchange, a_referral, run

hidden_rows = st.one_of(
    st.lists(st.booleans(), max_size=40),
    # Long runs of hidden rows.
    st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=5).map(
        lambda runs: [flag for flag, length in runs for _ in range(length)]
    ),
)
sizes = st.integers(1, 12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def an_exchange(folder: Path, visible: list[bool]) -> Exchange:
    exchange = Exchange(folder)
    exchange.area.referrals = [a_referral(number) for number in range(len(visible))]
    exchange.consent.rule = lambda _, one: REFERRED if visible[int(one.record_id[4:])] else 0
    return exchange


async def all_pages(exchange: Exchange, size: int, role: str = "prosecutor") -> list[pb.ListReferralsResponse]:
    found, token = [], ""
    for number in range(400):
        request = pb.ListReferralsRequest(page_size=size, page_token=token)
        page = await exchange.ask("ListReferrals", request, role=role, request_id=f"req_{number}")
        found.append(page)
        token = page.next_page_token
        if not token:
            return found
    raise AssertionError("the list does not end")


def ids(pages_: list[Any]) -> Iterator[str]:
    return (row.id for page in pages_ for row in page.referrals)


PAGED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)


@PAGED
@given(hidden_rows, sizes)
def test_pages_hold_each_visible_row_once_in_order_and_are_full(folder: Path, visible: list[bool], size: int) -> None:
    exchange = an_exchange(folder, visible)
    found = run(all_pages(exchange, size))
    assert list(ids(found)) == [f"ref_{number}" for number, shown in enumerate(visible) if shown]
    assert all(len(page.referrals) == size for page in found[:-1])
    assert len(found[-1].referrals) <= size
    assert len(found) == max(1, -(-sum(visible) // size))


@PAGED
@given(hidden_rows, sizes)
def test_a_list_looks_as_if_what_is_hidden_had_never_been_there(folder: Path, visible: list[bool], size: int) -> None:
    """P2-02, EV-T3: same rows, same pages, and a further page only where there is something on it."""
    with_hidden = run(all_pages(an_exchange(folder, visible), size))
    exchange = an_exchange(folder, visible)
    exchange.area.referrals = [one for one, shown in zip(exchange.area.referrals, visible, strict=True) if shown]
    without = run(all_pages(exchange, size))
    for one, other in zip(with_hidden, without, strict=True):
        assert list(one.referrals) == list(other.referrals)
        assert len(one.next_page_token) == len(other.next_page_token)


@PAGED
@given(hidden_rows, sizes)
def test_every_row_that_left_is_on_the_ledger_and_no_hidden_one_is(
    folder: Path, visible: list[bool], size: int
) -> None:
    exchange = an_exchange(folder, visible)
    run(all_pages(exchange, size))
    disclosed = {entry.identifying.subject_id for entry in exchange.ledger.all()} - {""}
    assert disclosed == {f"sub_{number}" for number, shown in enumerate(visible) if shown}
    assert {entry.kind for entry in exchange.ledger.all()} <= {
        audit_pb2.ENTRY_KIND_DISCLOSURE,
        audit_pb2.ENTRY_KIND_ACCESS,
    }


@PAGED
@given(hidden_rows, sizes)
def test_a_page_is_one_append(folder: Path, visible: list[bool], size: int) -> None:
    exchange = an_exchange(folder, visible)
    found = run(all_pages(exchange, size))
    assert exchange.ledger.appends == len(found)


def test_an_empty_list_and_a_hidden_one_are_answered_alike(folder: Path) -> None:
    empty, hidden = an_exchange(folder, []), an_exchange(folder, [False] * 30)
    answers = [run(all_pages(one, 10)) for one in (empty, hidden)]
    assert answers[0] == answers[1]
    [[one], [other]] = [exchange.ledger.all() for exchange in (empty, hidden)]
    assert one == other


def test_an_area_is_never_asked_for_more_than_a_page(folder: Path) -> None:
    exchange = an_exchange(folder, [True, False] * 20)
    run(all_pages(exchange, 7))
    assert max(one.page_size for one in exchange.area.asked) <= pages.LARGEST_SIZE
    assert min(one.page_size for one in exchange.area.asked) >= 1


def test_a_list_without_a_size_has_pages_of_fifty(folder: Path) -> None:
    exchange = an_exchange(folder, [True] * 120)

    async def first() -> Any:
        return await exchange.ask("ListReferrals", pb.ListReferralsRequest())

    assert len(run(first()).referrals) == 50


@pytest.mark.parametrize("size", [0, -1, 501, 2**31 - 1])
def test_another_size_than_1_to_500_is_refused(folder: Path, size: int) -> None:
    exchange = an_exchange(folder, [True])
    error = run(exchange.refused("ListReferrals", pb.ListReferralsRequest(page_size=size)))
    assert (error.code, [one.path for one in error.violations]) == (Code.INVALID_ARGUMENT, ["pageSize"])


def test_a_cursor_is_good_for_its_caller_alone(folder: Path) -> None:
    exchange = an_exchange(folder, [True] * 10)

    async def scenario() -> Any:
        page = await exchange.ask("ListReferrals", pb.ListReferralsRequest(page_size=3), role="police_officer")
        request = pb.ListReferralsRequest(page_size=3, page_token=page.next_page_token)
        assert (await exchange.ask("ListReferrals", request, role="police_officer")).referrals[0].id == "ref_3"
        return await exchange.refused("ListReferrals", request, role="prosecutor")

    error = run(scenario())
    assert [one.path for one in error.violations] == ["pageToken"]


def test_a_cursor_does_not_hold_the_areas_token_in_clear(folder: Path) -> None:
    exchange = an_exchange(folder, [True] * 10)
    page = run(all_pages(exchange, 7))[0]
    assert page.next_page_token not in ("7", "Nw==")
    assert [one.page_token for one in exchange.area.asked if one.page_token] != [page.next_page_token]


def test_a_change_on_a_page_sends_the_whole_page_round(folder: Path) -> None:
    visible = [True] * 5
    exchange = an_exchange(folder, visible)
    done: list[bool] = []

    async def revoked() -> None:
        if not done:
            done.append(True)
            visible[2] = False
            exchange.consent.change("sub_2")

    exchange.ledger.meanwhile = revoked
    [page, *_] = run(all_pages(exchange, 4))
    assert [row.id for row in page.referrals] == ["ref_0", "ref_1", "ref_3", "ref_4"]


def test_a_list_that_an_area_refuses_is_refused(folder: Path) -> None:
    exchange = an_exchange(folder, [True])
    exchange.consent.is_away = True
    assert run(exchange.refused("ListReferrals", pb.ListReferralsRequest())).code is Code.UNAVAILABLE
