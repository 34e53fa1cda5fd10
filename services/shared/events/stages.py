"""In which order unsent rows leave: in stages, each of which first states its statements and then publishes its events.

Only the order per subject matters. So what several subjects have to say waits for the same stage, where it is said
together; a subject's statement behind one of its events belongs to the next stage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from services.shared.events.outbox import EVENT


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows that may leave together, in the order of the outbox."""

    statements: list[Row[Any]] = field(default_factory=list)
    events: list[Row[Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    """How far a subject has come: its stage, and whether it has an event there."""

    stage: int = 0
    published: bool = False


def stages(rows: Iterable[Row[Any]]) -> list[Stage]:
    """Return the rows of an outbox, given in its order, as stages: stage by stage each subject keeps its order."""
    found: list[Stage] = []
    places: dict[str, _Place] = {}
    for row in rows:
        place = places.setdefault(row.subject_id, _Place())
        is_event = row.kind == EVENT
        if place.published and not is_event:
            place.stage += 1
        place.published = is_event
        if place.stage == len(found):
            found.append(Stage())
        (found[place.stage].events if is_event else found[place.stage].statements).append(row)
    return found
