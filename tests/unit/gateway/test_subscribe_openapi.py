from __future__ import annotations

from gateway import docs, openapi
from tests.unit.gateway.messages import routes

DOCUMENT = openapi.document(routes())
SUBSCRIBE = DOCUMENT["paths"]["/v1/events"]["get"]


def test_events_are_described_as_a_stream_of_them() -> None:
    assert list(SUBSCRIBE["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "`ReferralRecorded`" in SUBSCRIBE["responses"]["200"]["description"]
    assert {"400", "401", "403", "429", "503"} <= set(SUBSCRIBE["responses"])


def test_a_client_may_come_back_by_parameter_or_by_header() -> None:
    named = {(one["in"], one["name"]) for one in SUBSCRIBE["parameters"]}
    assert {("query", "cursor"), ("header", "Last-Event-ID"), ("header", "X-Purpose-Of-Use")} <= named


def test_no_other_call_has_such_a_header() -> None:
    calls = [call for verbs in DOCUMENT["paths"].values() for call in verbs.values() if call is not SUBSCRIBE]
    assert not any(one.get("name") == "Last-Event-ID" for call in calls for one in call["parameters"])


def test_the_page_to_read_has_it_too() -> None:
    assert b"text/event-stream" in docs.page(DOCUMENT)
