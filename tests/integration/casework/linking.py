"""The linker of a desk: what it hears, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from lead.casework.v1.casework_events_pb2 import StudyLinked
from lead.options.v1 import words_pb2
from lead.outcomes.v1.outcomes_events_pb2 import ComparisonRegistered
from lead.referral.v1 import referral_pb2
from lead.referral.v1.justice_events_pb2 import JusticeEventReported
from lead.referral.v1.referral_events_pb2 import ReferralRecorded

from services.shared.events.delivery import NO_AGENCY, Delivery, OpenedPart
from services.shared.events.split import split
from services.shared.sharing.assertion import Caller
from tests.integration.casework.desk import Desk
from tests.unit.casework.builders import POLICE, SITE
from tests.unit.casework.registry import JAIL, OFFICE

IDENTITY = words_pb2.CATEGORY_IDENTITY
FULL = "1990-05-01"


def a_manager(site: str = SITE, agency_id: str = OFFICE) -> Caller:
    """Return a programme manager of a site."""
    return Caller("office-manager", agency_id, "program_office", "program_manager", "DIVERSION_COORD", (site,))


def a_referral(
    given: str = "Testa", family: str = "Sample", birth_date: str = FULL, local_ids: Iterable[tuple[str, str]] = ()
) -> ReferralRecorded:
    """Return what police say of a person whom they refer."""
    person = referral_pb2.Person(
        given_name=given or None,
        family_name=family or None,
        birth_date=birth_date or None,
        local_ids=[referral_pb2.LocalId(agency_id=agency, id=number) for agency, number in local_ids],
    )
    return ReferralRecorded(site_id=SITE, person=person)


def an_event(
    given: str = "Testa", family: str = "Sample", birth_date: str = FULL, local_id: str = "", record: str = "B-1"
) -> JusticeEventReported:
    """Return what a jail says of a booking."""
    return JusticeEventReported(
        given_name=given or None,
        family_name=family or None,
        birth_date=birth_date or None,
        local_id=local_id or None,
        source_system="jms",
        source_record_id=record,
        incident_key="00",
    )


def a_comparison(record: str = "B-1", agency_id: str = JAIL) -> ComparisonRegistered:
    """Return that the person of a booking is a comparison."""
    return ComparisonRegistered(agency_id=agency_id, system="jms", record_id=record)


@dataclass(frozen=True)
class Heard:
    """A message and of which record it is."""

    record_id: str
    message: Message
    source: str = POLICE
    version: int = 1

    @property
    def subject_id(self) -> str:
        """One subject per record, for ever."""
        return f"sub_of_{self.record_id}"


def referred(record_id: str, message: Message | None = None, version: int = 1, source: str = POLICE) -> Heard:
    """Return a referral as it is heard."""
    return Heard(record_id, message or a_referral(), source, version)


def reported(record_id: str, message: Message | None = None, version: int = 1, source: str = JAIL) -> Heard:
    """Return a justice event as it is heard."""
    return Heard(record_id, message or an_event(), source, version)


def delivered(heard: Heard, at: datetime, agencies: Sequence[str] = (NO_AGENCY,)) -> Delivery[Any]:
    """Return a delivery of the IDENTITY of something heard."""
    parts = [
        OpenedPart(part.category, part.record_id, part.payload, frozenset(agencies), "", 0)
        for part in split(heard.message, heard.record_id)
        if part.category == IDENTITY
    ]
    return Delivery(
        message_class=type(heard.message),
        event_id=f"evt_of_{heard.record_id}_{heard.version}",
        topic="referral",
        record_id=heard.record_id,
        subject_id=heard.subject_id,
        source_agency_id=heard.source,
        version=heard.version,
        time=at,
        parts=tuple(parts),
        late=False,
    )


class Linking:
    """What the linker of a desk is told and says."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def hear(self, *heard: Heard, agencies: Sequence[str] = (NO_AGENCY,)) -> None:
        """Take in deliveries, each in a transaction; say nothing yet."""
        handlers = self.desk.linker.handlers()
        for each in heard:
            delivery = delivered(each, self.desk.clock.now(), agencies)
            with self.desk.parts.db.write() as connection:
                handlers[delivery.event_name].apply(connection, delivery)

    def settle(self) -> None:
        """Say what follows, until nothing follows any more."""
        while self.desk.publishing.round():
            pass

    def tell(self, *heard: Heard) -> None:
        """Take in deliveries and say what follows of each."""
        for each in heard:
            self.hear(each)
            self.settle()

    def said(self) -> list[Any]:
        """The study links that went out, oldest first."""
        return [each for each in self.desk.recorder.said if isinstance(each.message, StudyLinked)]

    def standing(self) -> dict[tuple[str, str, str], tuple[int, float, bool]]:
        """What those who count believe: by record, study id and entry, its rule, score and whether it is confirmed."""
        found: dict[tuple[str, str, str], tuple[int, float, bool]] = {}
        versions: dict[str, int] = {}
        for event in self.said():
            link: Any = event.message
            assert event.version > versions.get(event.record_id, 0)
            versions[event.record_id] = event.version
            key = (link.record_id, link.study_id, link.entry_id)
            found.pop(key, None)
            if not link.withdrawn:
                found[key] = (link.rule, round(link.score, 3), link.confirmed)
        return found

    def studies(self, record_id: str, least: float = 0.95) -> set[str]:
        """The study ids that a record is counted for."""
        return {
            study
            for (record, study, _), (_, score, confirmed) in self.standing().items()
            if record == record_id and (confirmed or score >= least)
        }

    def tasks(self, caller: Caller | None = None, **filters: Any) -> list[pb.PersonMatch]:
        """All matches that a programme manager sees, in pages of two."""
        caller = caller or a_manager()
        return self.desk._all("ListPersonMatches", service.ListPersonMatchesRequest, "matches", caller, **filters)

    def open(self, caller: Caller | None = None) -> set[tuple[str, str, str]]:
        """The open ones: known and found record, and rule."""
        return {
            (each.known.reference.record_id, each.found.reference.record_id, pb.MatchRule.Name(each.rule)[11:])
            for each in self.tasks(caller, state=pb.MATCH_STATE_OPEN)
        }

    def task(self, known_id: str, found_id: str) -> pb.PersonMatch:
        """The match of two records."""
        return next(
            each
            for each in self.tasks()
            if (each.known.reference.record_id, each.found.reference.record_id) == (known_id, found_id)
        )

    def confirm(self, match: pb.PersonMatch, caller: Caller | None = None) -> pb.PersonMatch:
        """Say that both are one person, and what follows of it."""
        request = service.ConfirmPersonMatchRequest(id=match.id, etag=match.etag)
        found: pb.PersonMatch = self.desk.call("ConfirmPersonMatch", request, caller or a_manager()).match
        self.settle()
        return found

    def reject(self, match: pb.PersonMatch, caller: Caller | None = None) -> pb.PersonMatch:
        """Say that they are two, and what follows of it."""
        request = service.RejectPersonMatchRequest(id=match.id, etag=match.etag)
        found: pb.PersonMatch = self.desk.call("RejectPersonMatch", request, caller or a_manager()).match
        self.settle()
        return found

    def joined(self, heard: Heard, **said: Any) -> pb.Participant:
        """Hear of a referral and complete its hand-off."""
        self.tell(heard)
        done = self.desk.complete(self.desk.arrived(subject_id=heard.subject_id), **said)
        self.settle()
        return self.desk.get(done.participant_id)
