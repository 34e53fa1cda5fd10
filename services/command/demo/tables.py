"""The tables of who sees what: looked at, compared with what the matrix foretells, and printed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from lead.options.v1 import words_pb2
from rich import box
from rich.table import Table

from services.command.demo import expected
from services.command.demo.drafts import PART2_AGENCIES
from services.command.demo.expected import Release
from services.command.demo.story import Person, Story
from services.command.demo.viewers import VIEWERS, Viewer, client_of, known_of, looks_at

Seen = Mapping[str, frozenset[str]]
"""By viewer, the categories seen."""

_CATEGORIES = tuple(name.removeprefix("CATEGORY_") for name, number in words_pb2.Category.items() if number)
# Events travel, answers don't wait: how long something may still be on its way.
_PATIENCE_SECONDS = 10.0
_AGAIN_SECONDS = 0.2
_DASH = "\u2013"


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one person, beside what was to be seen."""

    seen: Seen
    foretold: Seen

    @property
    def holds(self) -> bool:
        """Whether both are the same in every cell."""
        return self.seen == self.foretold

    def table(self, title: str) -> Table:
        """Return it to print: ● seen, a dash where no built call carries it; a red ! or ? where not foretold."""
        key = " · ".join(f"{viewer.code} {viewer.words}" for viewer in VIEWERS)
        table = Table(title=title, caption=key, box=box.SIMPLE_HEAD, padding=(0, 1), title_justify="left")
        table.add_column("category", no_wrap=True)
        for viewer in VIEWERS:
            table.add_column(viewer.code, justify="center")
        others = sorted({word for row in self.seen.values() for word in row} - set(_CATEGORIES))
        for category in (*_CATEGORIES, *others):
            table.add_row(category, *(self._mark(viewer, category) for viewer in VIEWERS))
        return table

    def _mark(self, viewer: Viewer, category: str) -> str:
        is_seen, is_foretold = category in self.seen[viewer.name], category in self.foretold[viewer.name]
        if is_seen != is_foretold:
            return "[bold red]!" if is_seen else "[bold red]?"
        if category in expected.dashes():
            return f"[dim]{_DASH}"
        return "●" if is_seen else ""


def look(story: Story, person: Person, release: Release, *, patient: bool = True) -> Sight:
    """Look as everyone in turn. `patient`: who sees too little looks again for a while; too much is never forgiven."""
    foretold = expected.table(release, part2=person.case_agency in PART2_AGENCIES)
    end = time.monotonic() + (_PATIENCE_SECONDS if patient else 0.0)
    looks, known, seen = looks_at(story.exchange), known_of(story, person), {}
    for viewer in VIEWERS:
        client = client_of(story, viewer, person)
        while (found := looks.at(client, viewer, person, known)) < foretold[viewer.name] and time.monotonic() < end:
            time.sleep(_AGAIN_SECONDS)
            known = known_of(story, person)
        seen[viewer.name] = found
    return Sight(seen, foretold)
