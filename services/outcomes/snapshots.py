"""Published figures: frozen per quarter, canonical JSON, told by their digest, never changed (evaluation.md).

Who may not count live reads these, so that nobody can find a person out by asking again after each day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes.domain import DEFINITIONS, FUNNEL, POPULATIONS, REARREST, WINDOWS, Figure, Quarter
from services.outcomes.evaluation.windows import FEED_RULE
from services.outcomes.store_snapshots import Snapshot
from services.shared.wire import stamp


def figures(site_id: str) -> Iterator[Figure]:
    """Yield all that a snapshot holds."""
    yield Figure(kind=FUNNEL, site_id=site_id)
    for definition in DEFINITIONS:
        for population in POPULATIONS:
            for window in WINDOWS:
                yield Figure(
                    kind=REARREST, site_id=site_id, definition=definition, population=population, window=window
                )


def complete_through(ends: list[datetime | None]) -> datetime | None:
    """Return until when all contributing feeds are complete; None while one has declared nothing.

    A feed whose end lies far behind the newest has left, and holds nobody back (as in the reports).
    """
    known = [end for end in ends if end is not None]
    if not known or len(known) < len(ends):
        return None
    newest = max(known)
    return min(end for end in known if end >= newest - timedelta(days=FEED_RULE.lag_days))


def frozen(
    reports: Mapping[str, pb.Report], site_id: str, quarter: Quarter, by: tuple[str, str], now: datetime
) -> Snapshot:
    """Return the snapshot of these reports by figure name, made for an evaluator agency under its approval (`by`)."""
    told = {name: MessageToDict(report) for name, report in reports.items()}
    content = json.dumps(
        {"site": site_id, "quarter": str(quarter), "reports": told},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    agency_id, approval_id = by
    return Snapshot(
        site_id=site_id,
        quarter=str(quarter),
        agency_id=agency_id,
        approval_id=approval_id,
        frozen_at=now,
        digest=_digest(content),
        content=content,
    )


def report_of(snapshot: Snapshot, figure: Figure) -> pb.Report | None:
    """Return one report of a snapshot, None when it holds no such. Raises ValueError when a byte of it was changed."""
    if _digest(snapshot.content) != snapshot.digest:
        raise ValueError("a frozen snapshot is not what was frozen")
    told: dict[str, Any] | None = json.loads(snapshot.content)["reports"].get(figure.name)
    if told is None:
        return None
    report = ParseDict(told, pb.Report())
    report.snapshot_id, report.digest = snapshot.quarter, snapshot.digest
    report.frozen_time.CopyFrom(stamp(snapshot.frozen_at))
    return report


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
