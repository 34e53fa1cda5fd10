"""An agency's candidates while one submission is worked through, in memory; afterwards it says what is to be stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.referral.incident import KEPT, Incident, Report, Result, key_text
from services.referral.rms.candidate import NaturalKey


class Holding:
    """Candidates by report and person, as they were and as they have become."""

    def __init__(
        self,
        held: Iterable[Incident],
        seen: Mapping[str, Mapping[str, int]],
        mint: Callable[[str], str],
        now: datetime,
    ) -> None:
        """Start from what is held of the reports concerned, and the digests seen of each incident, with versions."""
        self._before = {each.id: each for each in held}
        self._people: dict[NaturalKey, dict[NaturalKey, Incident]] = defaultdict(dict)
        for each in self._before.values():
            self._people[report_of(each.key)][each.key] = each
        self._seen = {incident: dict(digests) for incident, digests in seen.items()}
        self._mint, self._at = mint, now
        self._contents: list[tuple[str, str, int]] = []

    def put(self, agency_id: str, site_id: str, report: Report) -> Result:
        """Take in what a report says of one person; content seen before, in whatever version, changes nothing."""
        key = report.candidate.key
        people = self._people[report_of(key)]
        held = people.get(key)
        if held is None:
            people[key] = self._noted(self._new(agency_id, site_id, report), report)
            return Result(key_text(key), "CREATED", people[key].id)
        if report.digest in self._seen[held.id]:
            return Result(key_text(key), "UNCHANGED", held.id)
        version = max(self._seen[held.id].values()) + 1
        newer = replace(held, version=version, revision=held.revision + 1, **self._told(report))
        people[key] = self._noted(newer, report)
        return Result(key_text(key), "REPLACED", held.id)

    def take(self, key: NaturalKey) -> Iterator[Result]:
        """Take away what a Delete names: one person, or everybody of the report. An unknown one changes nothing."""
        people = self._people[report_of(key)]
        gone = [one for one in people if not key.sequence or one == key]
        if not gone:
            yield Result(key_text(key), "UNKNOWN_RECORD")
        for one in gone:
            yield Result(key_text(one), "DELETED", people.pop(one).id)

    def keep_only(self, key: NaturalKey, named: Collection[NaturalKey]) -> Iterator[Result]:
        """Take away whoever a replaced report no longer names."""
        people = self._people[report_of(key)]
        for one in [one for one in people if one not in named]:
            yield Result(key_text(one), "DELETED", people.pop(one).id)

    @property
    def added(self) -> list[Incident]:
        """New incidents."""
        return [each for each in self._all() if each.id not in self._before]

    @property
    def changed(self) -> list[tuple[Incident, Incident]]:
        """Incidents before and after."""
        pairs = ((self._before.get(each.id), each) for each in self._all())
        return [(old, new) for old, new in pairs if old is not None and old is not new]

    @property
    def removed(self) -> list[str]:
        """Ids of incidents that are gone."""
        left = {each.id for each in self._all()}
        return [each for each in self._before if each not in left]

    @property
    def contents(self) -> list[tuple[str, str, int]]:
        """New (incident, digest, version), of incidents that stay."""
        left = {each.id for each in self._all()}
        return [each for each in self._contents if each[0] in left]

    def _all(self) -> Iterator[Incident]:
        for people in self._people.values():
            yield from people.values()

    def _noted(self, incident: Incident, report: Report) -> Incident:
        self._seen.setdefault(incident.id, {})[report.digest] = incident.version
        self._contents.append((incident.id, report.digest, incident.version))
        return incident

    def _new(self, agency_id: str, site_id: str, report: Report) -> Incident:
        key = report.candidate.key
        return Incident(
            id=self._mint("inc"),
            subject_id=self._mint("sub"),
            agency_id=agency_id,
            site_id=site_id,
            ori=key.ori,
            report_category=key.report_category,
            number=key.number,
            sequence=key.sequence,
            **self._told(report),
        )

    def _told(self, report: Report) -> dict[str, Any]:
        age = report.candidate.age
        return {
            "charges": report.charges,
            "screening": report.screening,
            "incident_time": report.incident_time,
            "age_min": None if age is None else age.minimum,
            "age_max": None if age is None else age.maximum,
            "purge_at": self._at + KEPT,
        }


def report_of(key: NaturalKey) -> NaturalKey:
    """Return the key of the whole report that a person stands in."""
    return replace(key, sequence="")
