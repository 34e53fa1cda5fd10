from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.events import cloudevents
from services.shared.events.cloudevents import MalformedEventError
from services.shared.events.seal import Envelope
from services.shared.ids import Ids

PSEUDONYM = b"\xab" * 32
KEY = PSEUDONYM.hex().encode()


def an_envelope() -> Envelope:
    return cloudevents.envelope(Ids().new("evt"), "review", datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC), PSEUDONYM)


def test_headers_are_those_of_binary_mode() -> None:
    given_headers = cloudevents.headers(an_envelope())
    assert given_headers["ce_specversion"] == b"1.0"
    assert given_headers["ce_source"] == b"/lead/review"
    assert given_headers["ce_type"] == b"lead.review.event.v1"
    assert given_headers["ce_time"] == b"2026-03-02T12:00:00.000005Z"
    assert given_headers["ce_subject"] == KEY
    assert given_headers["content-type"] == b"application/protobuf"
    assert given_headers["ce_id"].startswith(b"evt_")
    assert "traceparent" not in given_headers


def test_what_was_written_is_read_back() -> None:
    envelope = an_envelope()
    assert cloudevents.parse("review", KEY, cloudevents.headers(envelope)) == envelope
    assert cloudevents.time_of(envelope) == datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", sorted(cloudevents.headers(an_envelope())))
@pytest.mark.parametrize("value", [None, b"", b"other", b"\xff", b"2026-03-02T12:00:00"])
def test_an_event_with_a_wrong_attribute_is_refused_without_quoting_it(name: str, value: bytes | None) -> None:
    wrong = cloudevents.headers(an_envelope())
    if value is None:
        del wrong[name]
    else:
        wrong[name] = value
    with pytest.raises(MalformedEventError) as caught:
        cloudevents.parse("review", KEY, wrong)
    assert name in str(caught.value)
    assert "other" not in str(caught.value).replace("another", "")


def test_an_event_of_another_topic_is_refused() -> None:
    with pytest.raises(MalformedEventError):
        cloudevents.parse("casework", KEY, cloudevents.headers(an_envelope()))


def test_the_record_key_is_the_subject() -> None:
    with pytest.raises(MalformedEventError):
        cloudevents.parse("review", b"ab" * 32 + b"00", cloudevents.headers(an_envelope()))


@given(st.dictionaries(st.sampled_from(sorted(cloudevents.headers(an_envelope()))), st.binary(max_size=80)))
def test_rubbish_in_the_headers_is_refused_and_nothing_worse(rubbish: dict[str, bytes]) -> None:
    with pytest.raises(MalformedEventError):
        cloudevents.parse("review", KEY, rubbish)
