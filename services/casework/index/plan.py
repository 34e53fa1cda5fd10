"""What one person's picture asks to be said and written down. No IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lead.casework.v1 import casework_events_pb2 as events
from lead.consent.v1.consent_internal_service_pb2 import LinkSubjectsRequest, ScopeFact, ScopeStatement

from services.casework import convert
from services.casework.index import links, subjects
from services.casework.index.links import Key, Link, Links
from services.casework.index.offices import Offices
from services.casework.index.people import Record
from services.casework.index.picture import Picture
from services.casework.index.questions import Questions, questions
from services.casework.index.subjects import Joined
from services.shared.area import Fact
from services.shared.wire import filled


@dataclass(frozen=True, slots=True)
class News:
    """What changes of one record's links."""

    record: Record
    links: Links
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that follows from one picture."""

    picture: Picture
    study_id: str
    news: Sequence[News]
    questions: Questions
    joined: Sequence[Joined]
    # Subject and participant.
    ruled: Sequence[tuple[str, str]]
    # Whose candidates change with this person's study id.
    onward: Sequence[str] = field(default_factory=tuple)

    @property
    def facts(self) -> list[Fact]:
        """The study links, in order."""
        return [fact for news in self.news for fact in news.facts]

    @property
    def statements(self) -> list[ScopeStatement | LinkSubjectsRequest]:
        """What consent must know before: whose subject it is, and whose site a justice event in a question is of."""
        linked = [each.statement() for each in self.joined]
        ruled = [subjects.rule_statement(*each) for each in self.ruled]
        return [*linked, *ruled, *_sites(self.questions)]


def plan(
    picture: Picture,
    published: Mapping[str, Links],
    ruled: set[str],
    offices: Offices,
    fresh: Callable[[str], str],
) -> Plan:
    """Return what follows; `fresh("stu")` and `fresh("mat")` give new ids."""
    study_id = links.study_of(picture, lambda: fresh("stu"))
    joined = subjects.joined(picture)
    moved = any(each.study_id != study_id for each in picture.anchors)
    done = ruled | {each.holding.subject_id for each in joined}
    return Plan(
        picture=picture,
        study_id=study_id,
        news=list(_news(picture, published, study_id, offices)),
        questions=questions(picture, offices, lambda: fresh("mat")),
        joined=joined,
        ruled=subjects.by_rule(picture, done),
        onward=sorted(picture.beside) if moved else (),
    )


def _news(picture: Picture, published: Mapping[str, Links], study_id: str, offices: Offices) -> Iterator[News]:
    def near(one: Record, other: Record) -> bool:
        return offices.shared(one.agency_id, other.agency_id) is not None

    for record in (each for _, each in sorted(picture.person.items())):
        office = offices.of(record.agency_id)
        # Where nobody runs the programme, nobody counts.
        wanted = links.links_of(picture, record, study_id, near) if office is not None else {}
        said = links.changes(published.get(record.id, {}), wanted) if office is not None else ()
        source = "" if office is None else office.agency_id
        facts = [_linked(record, source, record.said + n, *one) for n, one in enumerate(said, start=1)]
        yield News(record, wanted, facts)


def _linked(record: Record, source: str, version: int, key: Key, link: Link, withdrawn: bool) -> Fact:
    study_id, entry_id = key
    target = events.STUDY_TARGET_REFERRAL if record.is_referral else events.STUDY_TARGET_JUSTICE_EVENT
    message = filled(
        events.StudyLinked(score=link.score, confirmed=link.confirmed, withdrawn=withdrawn),
        study_id=study_id,
        target=target,
        record_id=record.id,
        rule=convert.MATCH_RULES.number(link.rule),
        entry_id=entry_id,
    )
    return Fact(
        message=message, record_id=record.id, subject_id=record.subject_id, source_agency_id=source, version=version
    )


def _sites(asked: Questions) -> Iterator[ScopeStatement]:
    """Yield the sites of justice events; those of referrals are stated by their own area.

    One statement per event and office, always the same: said again, it changes nothing.
    """
    for match, office in asked.put:
        for record_id, subject_id in (
            (match.known_id, match.known_subject_id),
            (match.found_id, match.found_subject_id),
        ):
            if record_id.startswith("jev_"):
                yield ScopeStatement(
                    fact=ScopeFact.SCOPE_FACT_SITE,
                    subject_id=subject_id,
                    record_id=record_id,
                    agency_id=office.agency_id,
                    site_id=office.site_id,
                    version=1,
                )
