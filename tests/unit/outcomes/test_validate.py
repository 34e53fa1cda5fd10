"""Requests that are not acceptable: every wrong word at once, and never a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from lead.outcomes.v1 import outcomes_pb2 as pb
from lead.outcomes.v1 import outcomes_service_pb2 as service

from services.outcomes import domain, validate
from services.shared.errors import LeadError
from services.shared.sharing.assertion import Caller
from services.shared.wire import filled
from tests.support.clock import NOON

_POLICE = "sample-police"


def _caller(role: str = "evaluator", sites: tuple[str, ...] = ("seattle",)) -> Caller:
    return Caller("acc_1", "sample-agency", "evaluator", role, "HRESCH", sites)


def _entry(**values: Any) -> service.CreateEvaluationEntryRequest:
    index = {"agency_id": _POLICE, "system": "rms", "record_id": "A-1"}
    whole: dict[str, Any] = {"site_id": "seattle", "arm": pb.ARM_COMPARISON, "index_event": index, **values}
    return service.CreateEvaluationEntryRequest(**{name: value for name, value in whole.items() if value is not None})


def _rearrest(**values: Any) -> service.GetRearrestRequest:
    return filled(service.GetRearrestRequest(), **values)


def _violations(refuse: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(LeadError) as refused:
        refuse()
    return {each.path: each.wish for each in refused.value.violations}


def _asked(caller: Caller, **values: Any) -> domain.Figure:
    return validate.rearrest(_rearrest(**values), caller, NOON)


def test_who_says_nothing_gets_the_headline_of_his_only_site() -> None:
    figure = _asked(_caller())
    assert figure == domain.Figure(
        kind="rearrest", site_id="seattle", definition="ARR_OR_DIVERTED", population="ITT", window="6m"
    )
    assert figure.clock == "calendar"


def test_words_may_carry_their_prefix() -> None:
    figure = _asked(_caller(), definition="OUTCOME_DEFINITION_CHG_FELONY", population="POPULATION_LANDMARK")
    assert (figure.definition, figure.population) == ("CHG_FELONY", "LANDMARK")


def test_every_unknown_word_is_told_at_once_and_none_is_echoed() -> None:
    canary = "Canary-5311"
    wrong = _violations(
        lambda: _asked(
            _caller(), window=canary, definition=canary, population=canary, clock=canary, snapshot=canary,
            site_id=canary, as_of_time=NOON + timedelta(seconds=1),
        )
    )  # fmt: skip
    assert set(wrong) == {"siteId", "window", "definition", "population", "clock", "snapshot", "asOfTime"}
    assert canary not in str(wrong)


def test_a_site_of_others_is_refused_as_one_that_is_not_there() -> None:
    other = _violations(lambda: _asked(_caller(), site_id="santa-fe"))
    assert other == _violations(lambda: _asked(_caller(), site_id="nowhere"))


@pytest.mark.parametrize("sites", [(), ("seattle", "santa-fe")])
def test_the_site_must_be_named_unless_there_is_just_one(sites: tuple[str, ...]) -> None:
    assert set(_violations(lambda: _asked(_caller(sites=sites)))) == {"siteId"}


@pytest.mark.parametrize("role", ["police_officer", "prosecutor", "case_manager", "auditor"])
def test_only_live_roles_choose_the_time_and_the_clock(role: str) -> None:
    wrong = _violations(lambda: _asked(_caller(role), as_of_time=NOON, clock="liberty"))
    assert set(wrong) == {"asOfTime", "clock"}


def test_a_snapshot_has_its_own_time_and_clock_for_live_roles_too() -> None:
    wrong = _violations(lambda: _asked(_caller(), snapshot="latest", as_of_time=NOON, clock="liberty"))
    assert set(wrong) == {"asOfTime", "clock"}


@pytest.mark.parametrize("seconds", [-10 * 10**9, 10**15])
def test_a_time_that_is_none_is_refused(seconds: int) -> None:
    request = service.GetFunnelRequest(as_of_time=Timestamp(seconds=seconds))
    assert set(_violations(lambda: validate.funnel(request, _caller(), NOON))) == {"asOfTime"}


def test_now_is_not_in_the_future() -> None:
    assert validate.funnel(service.GetFunnelRequest(as_of_time=_stamp(NOON)), _caller(), NOON).kind == "funnel"


@given(st.text(max_size=12))
def test_a_snapshot_is_a_quarter_or_the_latest(text: str) -> None:
    request = service.GetFunnelRequest(snapshot=text)
    if not text or text == "latest" or domain.Quarter.parse(text):
        validate.funnel(request, _caller(), NOON)
    else:
        assert set(_violations(lambda: validate.funnel(request, _caller(), NOON))) == {"snapshot"}


def test_a_complete_entry_is_accepted() -> None:
    validate.created(_entry(), _caller(), {_POLICE})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"site_id": None}, "siteId"),
        ({"site_id": "santa-fe"}, "siteId"),
        ({"arm": None}, "arm"),
        ({"arm": 7}, "arm"),
        ({"index_event": {"system": "rms", "record_id": "A-1"}}, "indexEvent.agencyId"),
        ({"index_event": {"agency_id": "sample-housing", "system": "rms", "record_id": "1"}}, "indexEvent.agencyId"),
        ({"index_event": {"agency_id": _POLICE, "record_id": "A-1"}}, "indexEvent.system"),
        ({"index_event": {"agency_id": _POLICE, "system": "rms"}}, "indexEvent.recordId"),
        ({"index_event": {"agency_id": _POLICE, "system": "rms", "record_id": "A\n1"}}, "indexEvent.recordId"),
        ({"index_event": {"agency_id": _POLICE, "system": "rms", "record_id": " A-1"}}, "indexEvent.recordId"),
        ({"index_event": {"agency_id": _POLICE, "system": "r" * 65, "record_id": "A-1"}}, "indexEvent.system"),
    ],
)
def test_an_entry_that_is_not_complete_says_which_field(changes: dict[str, Any], path: str) -> None:
    assert list(_violations(lambda: validate.created(_entry(**changes), _caller(), {_POLICE}))) == [path]


def test_all_wrong_fields_of_an_entry_are_told_at_once() -> None:
    empty = service.CreateEvaluationEntryRequest()
    wrong = _violations(lambda: validate.created(empty, _caller(), {_POLICE}))
    assert set(wrong) == {"siteId", "arm", "indexEvent.agencyId", "indexEvent.system", "indexEvent.recordId"}


def _stamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made
