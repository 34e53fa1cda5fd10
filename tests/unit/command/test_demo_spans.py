from __future__ import annotations

import json
from pathlib import Path

from services.command.demo.spans import Span, follow, read

METHOD = "lead.referral.v1.ReferralService.SubmitReferral"
GATEWAY = Span(("t1", "a"), "", f"http {METHOD}", "gateway", 10, ())
FORWARD = Span(("t1", "b"), "a", "lead.referral.v1.ReferralService/SubmitReferral", "gateway", 11, ())
SERVICE = Span(("t1", "c"), "b", "lead.referral.v1.ReferralService/SubmitReferral", "referral", 12, ())
OUTBOX = Span(("t2", "d"), "", "outbox publish", "referral", 13, (("t1", "c"),))
LOG = Span(("t2", "e"), "d", "log append", "referral", 14, ())
CONSUMER = Span(("t3", "f"), "", "consume", "review", 15, (("t1", "c"), ("t2", "e")))
WHOLE = (CONSUMER, LOG, GATEWAY, OUTBOX, SERVICE, FORWARD)


def test_a_request_is_followed_over_parents_and_links() -> None:
    way = follow(WHOLE, METHOD, "referral", "review", since=10)
    assert way is not None
    assert way.hops == (GATEWAY, SERVICE, OUTBOX, LOG, CONSUMER)


def test_no_hop_may_be_missing() -> None:
    for missing in WHOLE:
        rest = [one for one in WHOLE if one is not missing]
        assert follow(rest, METHOD, "referral", "review", since=10) is None


def test_an_earlier_request_is_not_taken_for_this_one() -> None:
    assert follow(WHOLE, METHOD, "referral", "review", since=11) is None


def test_a_consumer_that_does_not_link_back_to_the_request_is_another_ones() -> None:
    other = Span(("t3", "f"), "", "consume", "review", 15, (("t1", "x"), ("t2", "e")))
    assert follow([*WHOLE[1:], other], METHOD, "referral", "review", since=10) is None


def test_parents_in_a_circle_end() -> None:
    circle = Span(("t1", "b"), "c", FORWARD.name, "gateway", 11, ())
    spans = [GATEWAY, circle, SERVICE, OUTBOX, LOG, CONSUMER]
    assert follow(spans, METHOD, "referral", "review", since=10) is None


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    line = {
        "trace_id": "t1",
        "span_id": "a",
        "parent": "",
        "name": f"http {METHOD}",
        "kind": "server",
        "service": "gateway",
        "start": 10,
        "links": [{"trace_id": "t0", "span_id": "z"}],
    }
    (tmp_path / "gateway.jsonl").write_text(json.dumps(line) + '\n{"trace_id": "t', "utf-8")
    assert read(tmp_path) == [Span(("t1", "a"), "", f"http {METHOD}", "gateway", 10, (("t0", "z"),))]
