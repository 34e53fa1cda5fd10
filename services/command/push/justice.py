"""`leadx push --justice`: sends the justice events of a file in batches, and last of all the declaration.

A repeat is known by its source, so a push that was cut off, or is made twice, changes nothing that was sent before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Any

from lead.referral.v1 import justice_pb2

from gateway.transcode import json_walk
from services.command.push import state
from services.command.push.faces import Faces, Patience, violations_of
from services.command.push.records import REJECTED, Result
from services.command.push.report import Report
from services.referral.rms.files import Row, read_records
from services.shared.errors import Violation

_PATH = "/v1/justiceEvents"
# Well within the exchange's limits on a body: 1 MiB, 5,000 events.
_TOGETHER, _BYTES = 500, 512 * 1024
_OUTCOME = "JUSTICE_EVENT_OUTCOME_"
_NOT_DECLARED = "Not declared, since events were rejected. Push the file again when they are corrected."


@dataclass(frozen=True, slots=True)
class Event:
    """A row on its way: its JSON text, or what is wrong with it, found before anything was sent."""

    number: int
    text: str
    violations: tuple[Violation, ...] = ()


class JusticePusher:
    """Sends files of justice events, one after the other; after the last of them the declaration, if there is any."""

    def __init__(self, faces: Faces, patience: Patience, report: Report, declared: dict[str, str], last: Path) -> None:
        """`declared` is the body that declares, empty for none; `last` is the file after which it is sent."""
        self._faces, self._patience, self._report = faces, patience, report
        self._declared, self._last = declared, last
        self._is_whole = True

    def file(self, file: Path, progress: Path) -> None:
        """Send one file. Raises PushRefused, Unreachable, OSError, KeyboardInterrupt; what was answered is noted."""
        kept = state.State.load(progress, state.digest(file))
        self._report.begin(file, None, kept.outcomes)
        # Of rows that an earlier push sent, only the number of the rejected ones is known.
        self._is_whole &= not kept.outcomes[REJECTED]
        begun_after = kept.through
        rows = dropwhile(lambda row: row.number <= begun_after, read_records(file, file.name))
        for batch in batches(map(outgoing, rows)):
            for each in self._sent(batch):
                kept.note(each)
                self._report.result(file, each)
                self._is_whole &= not _is_missing(each)
            kept.save()
        kept.done()
        if self._declared and file == self._last:
            self._declare()

    def _sent(self, batch: Sequence[Event]) -> Iterator[Result]:
        texts = [each.text for each in batch if not each.violations]
        body = f'{{"events":[{",".join(texts)}]}}'
        told = iter(self._post(body)["results"] if texts else ())
        for each in batch:
            if each.violations:
                yield Result(each.number, str(each.number), REJECTED, "", each.violations)
            else:
                yield _result(each, next(told))

    def _declare(self) -> None:
        if not self._is_whole:
            self._report.say(_NOT_DECLARED)
            return
        feed = self._post(json.dumps(self._declared)).get("feed", {})
        through = f"Complete from {feed.get('completeFrom')} through {feed.get('completeThrough')}."
        self._report.say(f"{through} {feed.get('note', '')}".rstrip())

    def _post(self, body: str) -> Any:
        answer = self._faces.post_json(_PATH, body.encode(), self._patience)
        self._patience.progress()
        return answer


def outgoing(row: Row) -> Event:
    """Return what to send for a row: a justice event as the contract has it."""
    if not isinstance(row.payload, dict):
        return Event(row.number, "", (Violation("", row.error or "a justice event is a JSON object"),))
    text = json.dumps(row.payload)
    _, found = json_walk.check(justice_pb2.JusticeEventDraft.DESCRIPTOR, text.encode())
    return Event(row.number, text, tuple(found))


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Cut events into what is sent at once, by number and by size."""
    batch: list[Event] = []
    size = 0
    for each in events:
        if batch and (len(batch) == _TOGETHER or size + len(each.text) > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += len(each.text)
    if batch:
        yield batch


def _result(sent: Event, told: dict[str, Any]) -> Result:
    outcome = str(told.get("outcome", "")).removeprefix(_OUTCOME)
    key = str(told.get("recordKey", sent.number))
    return Result(sent.number, key, outcome, str(told.get("justiceEventId", "")), tuple(violations_of(told)))


def _is_missing(result: Result) -> bool:
    # What was never sent and is taken back is missing nowhere.
    is_unknown = any(each.wish.startswith("UNKNOWN_RECORD") for each in result.violations)
    return result.outcome == REJECTED and not is_unknown
