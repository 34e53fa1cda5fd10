"""The small parts: storage of values, rate limit, reading ahead, page tokens, directory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse, RegisteredAgency
from lead.options.v1 import words_pb2

from services.referral.ahead import Ahead
from services.referral.directory import RegistryDirectory
from services.referral.domain import Approval, Handoff, Referral
from services.referral.handlers.push import Pushed, distinct
from services.referral.limits import Buckets
from services.referral.paging import place_of, token_of
from services.referral.stored import from_json, to_json
from services.shared.errors import Code, LeadError, unavailable
from tests.support.clock import FakeClock
from tests.unit.referral.builders import NOW, a_draft, a_referral, a_submission, from_rms


def test_a_referral_comes_back_from_its_json_as_it_was() -> None:
    whole = replace(
        a_referral(),
        approvals=(Approval(agency_id="sample-office", role="program_manager", time=NOW),),
        handoff=Handoff(id="hof_1", agency_id="sample-outreach", requested_at=NOW, window_end=NOW + timedelta(1)),
    )
    assert from_json(Referral, to_json(whole)) == whole


def test_what_equals_its_default_is_not_written() -> None:
    written = to_json(a_referral())
    assert "handoff" not in written
    assert "decline_reason" not in written
    assert "evidence_basis" not in written["draft"]


def test_a_key_that_this_release_does_not_know_is_passed_over() -> None:
    referral = a_referral()
    assert from_json(Referral, {**to_json(referral), "from_a_later_release": 1}) == referral


@given(st.decimals(min_value=Decimal("0.000001"), max_value=Decimal("99999.999999"), places=6))
def test_a_quantity_keeps_its_digits(quantity: Decimal) -> None:
    charge = a_referral().draft.charges[0]
    heavier = replace(charge, substances=(replace(charge.substances[0], quantity=quantity),))
    assert str(from_json(type(charge), to_json(heavier)).substances[0].quantity) == str(quantity)


def test_an_agency_has_a_minutes_worth_of_dry_runs_and_they_come_back_evenly() -> None:
    clock = FakeClock()
    buckets = Buckets(60, clock)
    for _ in range(60):
        buckets.take("sample-police")
    with pytest.raises(LeadError) as refused:
        buckets.take("sample-police")
    assert refused.value.code is Code.RESOURCE_EXHAUSTED
    buckets.take("sample-sheriff")
    clock.advance(1)
    buckets.take("sample-police")
    with pytest.raises(LeadError):
        buckets.take("sample-police")


def test_what_arrives_together_is_read_together() -> None:
    proceed = threading.Event()

    def source() -> Iterator[int]:
        yield from range(3)
        proceed.wait(5)
        yield 3

    groups = Ahead(source(), 64).groups()
    got: list[int] = []
    while len(got) < 3:
        got += next(groups)
    proceed.set()
    got += [each for group in groups for each in group]
    assert got == [0, 1, 2, 3]


def test_a_group_is_bounded_and_order_is_kept() -> None:
    groups = list(Ahead(range(1000), 10).groups())
    assert [each for group in groups for each in group] == list(range(1000))
    assert max(map(len, groups)) <= 10


def test_what_the_source_raises_comes_after_what_it_gave() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("told to")

    groups = Ahead(source(), 10).groups()
    assert next(groups) == [1]
    with pytest.raises(ValueError, match="told to"):
        next(groups)


def test_a_consumer_that_leaves_ends_the_reader() -> None:
    ended = threading.Event()

    def source() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            ended.set()

    groups = Ahead(source(), 4).groups()
    next(groups)
    groups.close()  # type: ignore[attr-defined]
    assert ended.wait(5)


def test_a_group_is_cut_where_a_natural_key_comes_again() -> None:
    sent = [a_submission(from_rms(name)) for name in ("1", "2", "1", "3")]
    typed = a_submission(a_draft(), None)
    records = [Pushed(str(n), each) for n, each in enumerate([*sent, replace(typed, digest="x")])]
    assert [[each.record_key for each in batch] for batch in distinct(records)] == [["0", "1"], ["2", "3", "4"]]


def test_a_page_token_names_the_last_row() -> None:
    assert place_of(token_of((NOW, "ref_1"))) == (NOW, "ref_1")
    assert place_of("") is None


@given(st.text(max_size=60))
def test_any_other_text_is_no_page_token(text: str) -> None:
    if not text:
        return
    with pytest.raises(LeadError) as refused:
        place_of(text)
    assert [each.path for each in refused.value.violations] == ["pageToken"]


class _Registry:
    def __init__(self) -> None:
        self.calls, self.is_away = 0, False

    def read(self) -> ReadRegistryResponse:
        self.calls += 1
        if self.is_away:
            raise unavailable("consent does not answer")
        police = RegisteredAgency(
            agency_id="sample-police", kind=words_pb2.AGENCY_KIND_POLICE, oris=["wasample1"], site_ids=["seattle"]
        )
        outreach = RegisteredAgency(
            agency_id="sample-outreach", kind=words_pb2.AGENCY_KIND_CASE_MANAGEMENT, site_ids=["seattle"]
        )
        return ReadRegistryResponse(agencies=[police, outreach])


def test_the_directory_is_read_every_few_seconds_at_most() -> None:
    registry, clock = _Registry(), FakeClock()
    directory = RegistryDirectory(registry.read, clock)
    assert directory.oris("sample-police") == {"WASAMPLE1"}
    assert directory.site_ids("sample-police") == ("seattle",)
    assert directory.sends_case_managers("sample-outreach", "seattle")
    assert not directory.sends_case_managers("sample-outreach", "santa-fe")
    assert not directory.sends_case_managers("sample-police")
    assert not directory.sends_case_managers("nobody")
    assert registry.calls == 1
    clock.advance(6)
    directory.oris("sample-police")
    assert registry.calls == 2


def test_an_older_directory_serves_while_consent_is_away() -> None:
    registry, clock = _Registry(), FakeClock()
    directory = RegistryDirectory(registry.read, clock)
    registry.is_away = True
    with pytest.raises(LeadError):
        directory.oris("sample-police")
    registry.is_away = False
    assert directory.oris("sample-police")
    registry.is_away = True
    clock.advance(6)
    assert directory.oris("sample-police")
    assert directory.oris("sample-police")
    assert registry.calls == 3
