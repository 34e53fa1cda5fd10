from __future__ import annotations

from typing import Any

import pytest
from lead.referral.v1 import justice_events_pb2 as events
from lead.referral.v1 import referral_service_pb2 as service

from services.referral.justice.declare import GAP, HELD_BACK, OVERTAKEN
from services.shared.errors import Code, LeadError
from tests.integration.referral.exchange import Exchange
from tests.integration.referral.test_justice_record import report
from tests.unit.referral.justice_builders import a_deletion, a_reporter, an_event, at, outcomes


def declared(exchange: Exchange) -> list[events.JusticeFeedDeclared]:
    return exchange.edge.named("JusticeFeedDeclared")


def explained(answer: service.RecordJusticeEventsResponse) -> list[list[str]]:
    return [[each.path for each in one.violations] for one in answer.results]


def refused(exchange: Exchange, **request: Any) -> list[str]:
    with pytest.raises(LeadError) as error:
        report(exchange, an_event(record_id="refused"), **request)
    assert error.value.code is Code.INVALID_ARGUMENT
    return [each.path for each in error.value.violations]


def test_a_declaration_is_made_known_on_the_feeds_own_subject(exchange: Exchange) -> None:
    report(exchange, an_event(), begin=at(-30), through=at(-2))
    report(exchange, through=at(-1))
    (message, later) = declared(exchange)
    assert (message.agency_id, message.complete_from, message.complete_through) == ("sample-police", at(-30), at(-2))
    assert list(message.site_ids) == ["seattle"]
    assert later.complete_through == at(-1)
    event, first, second = exchange.edge.facts
    assert first.subject_id == second.subject_id != event.subject_id
    assert first.record_id == second.record_id
    assert (first.version, second.version) == (1, 2)


def test_the_answer_says_how_far_the_feed_is_complete(exchange: Exchange) -> None:
    answer = report(exchange, begin=at(-30), through=at(-2))
    assert (answer.feed.complete_from, answer.feed.complete_through) == (at(-30), at(-2))
    assert not answer.feed.HasField("note")
    assert report(exchange, an_event()).feed == answer.feed


def test_the_same_declaration_again_makes_nothing_known(exchange: Exchange) -> None:
    report(exchange, an_event(), begin=at(-30), through=at(-2))
    again = report(exchange, an_event(), begin=at(-30), through=at(-2))
    assert outcomes(again.results) == ["UNCHANGED"]
    assert len(declared(exchange)) == 1


def test_a_feed_begins_somewhere(exchange: Exchange) -> None:
    assert refused(exchange, through=at(-2)) == ["completeFrom"]


def test_a_declaration_that_goes_back_is_refused_and_none_of_its_events_is_stored(exchange: Exchange) -> None:
    report(exchange, begin=at(-30), through=at(-2))
    assert refused(exchange, begin=at(-40), through=at(-3)) == ["completeThrough"]
    assert exchange.edge.named("JusticeEventReported") == []


def test_a_start_after_the_last_end_is_taken_and_noted_as_a_gap(exchange: Exchange) -> None:
    report(exchange, begin=at(-30), through=at(-20))
    answer = report(exchange, begin=at(-10), through=at(-2))
    assert answer.feed.note == GAP
    assert [(each.from_time, each.until_time) for each in answer.feed.gaps] == [(at(-20), at(-10))]
    assert [(each.from_time, each.until_time) for each in declared(exchange)[-1].gaps] == [(at(-20), at(-10))]
    closed = report(exchange, begin=at(-20), through=at(-1))
    assert not closed.feed.gaps
    assert not closed.feed.HasField("note")


def test_an_event_later_than_the_declared_end_is_kept_and_explained(exchange: Exchange) -> None:
    answer = report(exchange, an_event(time=at(-1)), an_event(record_id="B"), begin=at(-30), through=at(-2))
    assert outcomes(answer.results) == ["CREATED", "CREATED"]
    assert explained(answer) == [["time"], []]


def test_an_event_that_comes_late_is_kept_and_explained(exchange: Exchange) -> None:
    report(exchange, an_event(), begin=at(-30), through=at(-2))
    answer = report(exchange, an_event(record_id="late"), an_event(), an_event(record_id="new", time=at(-1)))
    assert outcomes(answer.results) == ["CREATED", "UNCHANGED", "CREATED"]
    assert explained(answer) == [["time"], [], []]


def test_an_older_version_is_explained(exchange: Exchange) -> None:
    report(exchange, an_event(version=4))
    answer = report(exchange, an_event(version=3), a_deletion(version=2))
    assert outcomes(answer.results) == ["STALE", "STALE"]
    assert explained(answer) == [["source.version"], ["source.version"]]


def test_nothing_is_declared_while_an_event_is_missing(exchange: Exchange) -> None:
    answer = report(exchange, an_event(), an_event(record_id="bad", time=None), begin=at(-30), through=at(-2))
    assert outcomes(answer.results) == ["CREATED", "REJECTED"]
    assert (answer.feed.note, answer.feed.HasField("complete_through")) == (HELD_BACK, False)
    assert declared(exchange) == []
    corrected = report(exchange, an_event(), an_event(record_id="bad"), begin=at(-30), through=at(-2))
    assert corrected.feed.complete_through == at(-2)


def test_what_was_never_sent_and_is_taken_back_is_missing_nowhere(exchange: Exchange) -> None:
    answer = report(exchange, a_deletion("never-sent"), begin=at(-30), through=at(-2))
    assert outcomes(answer.results) == ["REJECTED"]
    assert answer.feed.complete_through == at(-2)


def test_of_two_declarations_at_once_the_further_one_stands(exchange: Exchange) -> None:
    report(exchange, begin=at(-30), through=at(-20))
    exchange.edge.meanwhile = lambda: report(exchange, through=at(-1))
    answer = report(exchange, through=at(-2))
    assert answer.feed.complete_through == at(-1)
    assert answer.feed.note == OVERTAKEN


def test_each_agency_has_a_feed_of_its_own(exchange: Exchange) -> None:
    report(exchange, begin=at(-30), through=at(-2))
    jail = a_reporter("sample-jail", "jail")
    assert not report(exchange, an_event("BOOKING"), caller=jail).feed.HasField("complete_through")
    report(exchange, begin=at(-90), through=at(-80), caller=jail)
    assert len({each.subject_id for each in exchange.edge.facts if each.record_id.startswith("jfd_")}) == 2
