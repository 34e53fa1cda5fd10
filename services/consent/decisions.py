"""The decision log (AU-01): allow and deny, with every input that a replay needs. Written in batches, off the hot path.

The accounting of disclosures is the ledger; this log explains it, and lets `leadx policy replay` derive it again.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from services.consent.decide import Asker, Decision, Record
from services.consent.held import Held
from services.consent.history import ROUTING_KEYS, ground_to_json, inputs_to_json
from services.consent.models import DECISIONS
from services.shared.db import Database
from services.shared.ids import Ids

_log = logging.getLogger(__name__)
_BATCH = 500
_WAIT_SECONDS = 1.0
_AGAIN_SECONDS = 1.0


class DecisionLog:
    """A bounded queue and the thread that writes it down."""

    def __init__(self, db: Database, ids: Ids, policy_version: str) -> None:
        """Nothing runs before `start`."""
        self._db, self._ids, self._version = db, ids, policy_version
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(maxsize=20_000)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join()

    def note(
        self, asker: Asker, record: Record, held: Held, decision: Decision, request_id: str, now: datetime
    ) -> None:
        """Queue one decision; waits when the writer is behind, so that none is lost."""
        self._put(
            request_id,
            now,
            asker={
                "role": asker.matrix_role,
                "agency": asker.agency_id,
                "purpose": asker.purpose,
                "sites": sorted(asker.site_ids),
            },
            record={"subject": record.subject_id, "source": record.source_agency_id, "record": record.record_id},
            facts=sorted(decision.basis.facts),
            consents=[{"id": one.consent_id, "version": one.version} for one in held.consents],
            visible=decision.visible,
            inputs=inputs_to_json(decision.basis),
            rulings=[ground_to_json(ruling.ground()) for ruling in decision.rulings],
        )

    def note_routing(self, count: int, request_id: str, now: datetime) -> None:
        """Queue a note that so many routing keys went out at once: no decision, and about no one person."""
        self._put(
            request_id,
            now,
            asker={"role": "", "agency": "", "purpose": "", "sites": []},
            record={"subject": "", "source": "", "record": ""},
            facts=[],
            consents=[],
            visible=0,
            inputs={ROUTING_KEYS: count},
            rulings=[],
        )

    def _put(self, request_id: str, now: datetime, **row: Any) -> None:
        which = {"decision_id": self._ids.new("dec"), "at": now, "policy_version": self._version}
        self._queue.put({**which, "request_id": request_id, **row})

    def _run(self) -> None:
        is_open = True
        while is_open:
            rows, is_open = self._take()
            while rows and not self._written(rows) and not self._stopping.wait(_AGAIN_SECONDS):
                pass

    def _take(self) -> tuple[list[dict[str, Any]], bool]:
        rows: list[dict[str, Any]] = []
        try:
            while len(rows) < _BATCH:
                row = self._queue.get(timeout=_WAIT_SECONDS if not rows else 0.05)
                if row is None:
                    return rows, False
                rows.append(row)
        except queue.Empty:
            pass
        return rows, True

    def _written(self, rows: Sequence[dict[str, Any]]) -> bool:
        try:
            with self._db.write() as connection:
                connection.execute(insert(DECISIONS), list(rows))
        except Exception as error:  # noqa: BLE001 - the thread outlives every failure; the rows wait, and so do callers
            _log.error("decision log waits", extra={"reason": type(error).__name__})
            return False
        return True
