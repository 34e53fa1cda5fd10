"""Claim 1: a records system streams 40 referrals; the connection is cut and resumed; each is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from services.command.demo import drafts, sample_data
from services.command.demo.claim import Claim
from services.command.demo.client import bearer, grpc_channel
from services.command.demo.rms import Acknowledged, Rms
from services.command.demo.sample_data import DOORS, Message, Sample, Standing
from services.command.demo.story import Story

# Sent before the cut, and acknowledged before it.
_SENT, _READ = 30, 17


@dataclass(frozen=True)
class _Streamed:
    """What came of the stream: acknowledgements in order, and which messages were on their way when it was cut."""

    answers: tuple[Acknowledged, ...]
    on_their_way: frozenset[str]

    def stored_before(self) -> int:
        """Count the records whose acknowledgement was lost, though they were stored."""
        return sum(self.came_again(each) for each in self.answers)

    def came_again(self, answer: Acknowledged) -> bool:
        """Tell whether a new record was stored before the cut, and so is found unchanged when it is sent again."""
        return answer.key in self.on_their_way and answer.outcome == "UNCHANGED"

    def outcome(self, answer: Acknowledged) -> str:
        """Return what became of the record in all, whichever of its two arrivals did it."""
        return "CREATED" if self.came_again(answer) else answer.outcome


def play(story: Story) -> Iterator[Claim]:
    """Stream, break off, resume, and count."""
    sample = sample_data.sample()
    for person in sample.people:
        story.canaries |= drafts.known_facts(person)
    streamed = _stream(story, sample.messages)
    yield _as_foretold(sample, streamed)
    rows = list(story.caller("police_officer", sample_data.POLICE).pages("/v1/referrals", "referrals", pageSize="15"))
    yield _counted_once(sample, streamed, rows)
    yield _refused(sample, streamed)
    yield _stand(sample, rows)


def _stream(story: Story, messages: Sequence[Message]) -> _Streamed:
    exchange = story.exchange
    token = exchange.token("police_rms", agency=sample_data.POLICE)
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        rms = Rms(channel, bearer(token))
        first = rms.send_and_break_off(messages[:_SENT], _READ)
        rest = rms.send(messages[len(first) :])
    on_their_way = frozenset(each.key for each in messages[len(first) : _SENT])
    return _Streamed((*first, *rest), on_their_way)


def _as_foretold(sample: Sample, streamed: _Streamed) -> Claim:
    foretold = [(each.key, each.outcome) for each in sample.messages]
    seen = [(each.key, streamed.outcome(each)) for each in streamed.answers]
    doors = {each.draft["door"] for each in sample.messages if "door" in each.draft}
    text = (
        f"{sample_data.REFERRALS} referrals through all {len(doors)} doors, with what a records system sends behind "
        f"them: each of {len(seen)} acknowledgements came in order, with the outcome that was foretold"
    )
    holds = seen == foretold and doors == {f"DOOR_{door}" for door in DOORS}
    return Claim("1a", text, holds, _outcomes(foretold, seen))


def _outcomes(foretold: Sequence[tuple[str, str]], seen: Sequence[tuple[str, str]]) -> Table:
    table = Table("outcome", "foretold", "seen")
    wished, found = (Counter(outcome for _, outcome in each) for each in (foretold, seen))
    for outcome in sorted(wished | found, key=lambda each: (-wished[each], each)):
        table.add_row(outcome, str(wished[outcome]), str(found[outcome]))
    return table


def _counted_once(sample: Sample, streamed: _Streamed, rows: Sequence[dict[str, Any]]) -> Claim:
    lost = len(streamed.on_their_way)
    text = (
        f"The connection was cut with {lost} records unacknowledged and resumed behind the last acknowledgement: "
        f"{streamed.stored_before()} of them had been stored, none is held twice, {len(rows)} are listed"
    )
    keys = Counter(row["source"]["recordId"] for row in rows)
    ids = {each.referral_id for each in streamed.answers if streamed.outcome(each) == "CREATED"}
    once = set(keys) == set(sample.stands) and set(keys.values()) == {1} and {row["id"] for row in rows} == ids
    return Claim("1b", text, lost > 0 and once and len(rows) == sample_data.REFERRALS)


def _refused(sample: Sample, streamed: _Streamed) -> Claim:
    refused = {each.key: each for each in sample.messages if each.outcome == "REJECTED"}
    answers = {each.key: each for each in streamed.answers if each.key in refused}
    named = {key: answer.paths for key, answer in answers.items()}
    quiet = not any(value in each.raw for each in answers.values() for value in ("1990-13-01", "-1", "nowhere"))
    text = f"{len(refused)} records were refused, each with every wrong path at once and without a value"
    return Claim("1c", text, named == {key: each.paths for key, each in refused.items()} and quiet)


def _stand(sample: Sample, rows: Sequence[dict[str, Any]]) -> Claim:
    seen = {row["source"]["recordId"]: _standing(row) for row in rows}
    counts = Counter(each.screening for each in sample.stands.values())
    listed = ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))
    text = f"Every one stands as foretold, the ineligible kept as well: {listed}; 3 withdrawn"
    return Claim("1d", text, seen == sample.stands)


def _standing(row: dict[str, Any]) -> Standing:
    state, result = row["state"], row["screening"]["result"]
    return Standing(state.removeprefix("REFERRAL_STATE_"), result.removeprefix("SCREENING_RESULT_"))
