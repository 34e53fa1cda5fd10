"""The referral area on a real SQLite file; only consent and the log are stand-ins that remember what they were told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from lead.consent.v1.consent_internal_service_pb2 import ScopeFact, ScopeStatement
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service
from lead.referral.v1.referral_events_pb2 import ReferralFollowed
from sqlalchemy import Connection

from services.referral.handlers.desk import Desk
from services.referral.incident_key import Keyed
from services.referral.limits import Buckets
from services.referral.models import CIPHER
from services.referral.servicer import ReferralServicer
from services.shared.area import Fact
from services.shared.db import Database, make_engine
from services.shared.db.migrations import upgrade
from services.shared.errors import unavailable
from services.shared.ids import Ids
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.sharing.assertion import Caller
from tests.support.clock import FakeClock
from tests.unit.referral.builders import ORI, SITES, a_caller

T = TypeVar("T")
_CONTEXT: Any = None
_ORIS = (("sample-police", ORI), ("sample-police", "ZZ0000100"), ("sample-sheriff", "WASAMPLE2"))


class Edge:
    """Consent and log: takes what is to be said, grants subjects, and can be told to be away."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.facts: list[Fact] = []
        # What is counted of referrals goes beside everything else that is made known of them.
        self.followed: list[Fact] = []
        self.statements: list[ScopeStatement] = []
        self.granted: dict[str, frozenset[str]] = {}
        self.is_away = False
        self.commits = 0
        # Called between the plan and the write: what another call does meanwhile.
        self.meanwhile: Callable[[], object] = lambda: None
        # The commit from which on consent is away, counted from 1; 0 for none.
        self.away_from = 0

    def commit(
        self, facts: Sequence[Fact], write: Callable[[Connection], T], statements: Sequence[ScopeStatement] = ()
    ) -> T:
        if self.is_away or 0 < self.away_from <= self.commits + 1:
            raise unavailable("told to be away")
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        with self._db.write() as connection:
            result = write(connection)
        for each in facts:
            (self.followed if isinstance(each.message, ReferralFollowed) else self.facts).append(each)
        self.statements += statements
        self.commits += 1
        return result

    def granted_subjects(self, caller: Caller) -> frozenset[str]:
        return self.granted.get(caller.participant_id or caller.agency_id, frozenset())

    def named(self, name: str) -> list[Any]:
        """The messages of this name, oldest first."""
        return [each.message for each in self.facts if each.message.DESCRIPTOR.name == name]

    def stated(self, fact: str) -> list[ScopeStatement]:
        """The statements of this fact, oldest first."""
        return [each for each in self.statements if each.fact == ScopeFact.Value(f"SCOPE_FACT_{fact}")]


class Agencies:
    """A directory of the sample agencies."""

    def oris(self, agency_id: str) -> frozenset[str]:
        return frozenset(ori for agency, ori in _ORIS if agency == agency_id)

    def site_ids(self, agency_id: str) -> tuple[str, ...]:
        return ("santa-fe",) if agency_id.startswith("sample-santa-fe") else ("seattle",)

    def sends_case_managers(self, agency_id: str, site_id: str | None = None) -> bool:
        return agency_id.endswith("-outreach") and (site_id is None or site_id in self.site_ids(agency_id))


class Exchange:
    """The area, called as the gateway would call it."""

    def __init__(self, folder: Path) -> None:
        CIPHER.load(b"k" * 32)
        self.file = folder / "referral.db"
        engine = make_engine(f"sqlite:///{self.file}")
        upgrade("referral", engine)
        self.engine, self.db, self.clock = engine, Database(engine), FakeClock()
        self.edge = Edge(self.db)
        self.desk = Desk(
            db=self.db,
            commit=self.edge.commit,
            consent=self.edge,
            clock=self.clock,
            ids=Ids(),
            sites=SITES,
            directory=Agencies(),
            screens=Buckets(60, self.clock),
            secret=b"s" * 32,
            keyed=Keyed(b"k" * 32),
        )
        self._servicer = ReferralServicer(self.desk)

    def call(self, method: str, request: Message, caller: Caller | None = None) -> Any:
        """Call a method as somebody, by default as an officer of the sample police."""
        with acting(caller or a_caller(), RequestInfo("req_1", "gateway")):
            return getattr(self._servicer, method)(request, _CONTEXT)

    def submit(self, draft: pb.ReferralDraft, caller: Caller | None = None, key: str = "") -> pb.Referral:
        request = service.SubmitReferralRequest(referral=draft)
        if key:
            request.request_id = key
        referral: pb.Referral = self.call("SubmitReferral", request, caller).referral
        return referral

    def get(self, referral_id: str, caller: Caller | None = None) -> pb.Referral:
        referral: pb.Referral = self.call("GetReferral", service.GetReferralRequest(id=referral_id), caller).referral
        return referral

    def list_all(self, caller: Caller | None = None, **filters: Any) -> list[pb.Referral]:
        """All pages, of two rows each."""
        found: list[pb.Referral] = []
        token = ""
        while True:
            request = service.ListReferralsRequest(page_size=2, page_token=token, **filters)
            page = self.call("ListReferrals", request, caller)
            found += page.referrals
            token = page.next_page_token
            if not token:
                return found

    def push(
        self, records: Iterable[service.PushReferralsRequest], caller: Caller | None = None
    ) -> list[service.PushReferralsResponse]:
        with acting(caller or a_caller("police_rms"), RequestInfo("req_1", "gateway")):
            return list(self._servicer.PushReferrals(iter(records), _CONTEXT))

    def send(self, data: bytes, caller: Caller | None = None, key: str = "") -> list[service.ImportResult]:
        request = service.ImportIncidentsRequest(file=HttpBody(content_type="application/xml", data=data))
        if key:
            request.request_id = key
        return list(self.call("ImportIncidents", request, caller or a_caller("police_rms")).results)

    def incidents(self, caller: Caller | None = None) -> list[pb.Incident]:
        return list(self.call("ListIncidents", service.ListIncidentsRequest(), caller).incidents)

    def close(self) -> None:
        self.engine.dispose()
