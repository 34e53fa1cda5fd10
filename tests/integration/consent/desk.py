"""Consent on a real SQLite file, without a server: what the tests of its use cases stand on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from lead.consent.v1 import consent_internal_service_pb2 as asked
from lead.consent.v1 import consent_pb2 as wire
from lead.consent.v1 import consent_service_pb2 as pb
from lead.options.v1 import options_pb2, words_pb2
from sqlalchemy import select

from services.consent import epochs, roll
from services.consent.config import Config
from services.consent.convert import time_to_wire
from services.consent.decider import Decider
from services.consent.decisions import DecisionLog
from services.consent.domain import Draft
from services.consent.handlers import Desk
from services.consent.internal import ConsentInternalServicer
from services.consent.kek import KeyFile
from services.consent.keys import Keys
from services.consent.models import LEDGER_SPOOL
from services.consent.registry import Account, Agreement, Registry
from services.consent.servicer import ConsentServicer
from services.consent.sessions import Sessions
from services.shared.db import Database, make_engine
from services.shared.db.migrations import upgrade
from services.shared.identity import TlsFiles
from services.shared.ids import Ids
from services.shared.ledger import SpoolSender
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.sharing.assertion import Caller
from services.shared.sharing.need import words
from tests.support.clock import FakeClock
from tests.unit.consent.builders import (
    AGENCIES,
    DAY,
    IMPERSONAL,
    PARTICIPANT,
    REFERRAL,
    SUBJECT,
    a_draft,
    a_registry,
)
from tests.unit.consent.policy_asking import the_policy
from tests.unit.consent.test_convert import on_the_wire

CONTEXT: Any = None
ACCOUNTS = {
    "acc_case": Account("acc_case", "outreach", ("case_manager",), "Testa Owner"),
    "acc_prosecutor": Account("acc_prosecutor", "prosecutor", ("prosecutor",), "Probe Owner"),
    "acc_south": Account("acc_south", "outsider", ("case_manager",), "Testa South"),
}
CASE_MANAGER = Caller("acc_case", "outreach", "case_management", "case_manager", "CAREMGT", ("north",))
OTHER_CASE_MANAGER = Caller("acc_other", "recovery", "case_management", "case_manager", "CAREMGT", ("north",))
MANAGER = Caller("acc_office", "office", "program_office", "program_manager", "DIVERSION_COORD", ("north",))
PERSON = Caller("acc_person", "", "", "participant", "PATRQT", participant_id=PARTICIPANT)


def a_database(folder: Path) -> Database:
    """A migrated database in this folder."""
    engine = make_engine(f"sqlite:///{folder / 'consent.db'}")
    upgrade("consent", engine)
    return Database(engine)


def a_config(folder: Path, **changes: Any) -> Config:
    nowhere = folder / "nowhere"
    if not (folder / "kek").exists():
        KeyFile.create(folder / "kek")
    config = Config(
        address="127.0.0.1:0",
        database_url=f"sqlite:///{folder / 'consent.db'}",
        tls=TlsFiles(nowhere, nowhere, nowhere),
        assertion_key=nowhere,
        kek=folder / "kek",
        audit_address="127.0.0.1:1",
    )
    return replace(config, **changes)


@dataclass
class Office:
    """A desk with both its faces, and the shortest way to each question."""

    desk: Desk
    clock: FakeClock
    public: ConsentServicer
    internal: ConsentInternalServicer
    keys: Keys
    log: DecisionLog

    def create(self, caller: Caller, draft: Draft, participant: str = PARTICIPANT, key: str = "") -> wire.Consent:
        request = pb.CreateConsentRequest(participant_id=participant, consent=on_the_wire(draft), request_id=key)
        with asking(caller):
            return self.public.CreateConsent(request, CONTEXT).consent

    def listed(self, caller: Caller, participant: str = PARTICIPANT) -> list[wire.Consent]:
        with asking(caller):
            return list(self.public.ListConsents(pb.ListConsentsRequest(participant_id=participant), CONTEXT).consents)

    def revoke(
        self, caller: Caller, consent_id: str, recipients: Sequence[str] = (), categories: Sequence[str] = ()
    ) -> pb.RevokeConsentResponse:
        request = pb.RevokeConsentRequest(
            id=consent_id,
            recipient_agency_ids=recipients,
            categories=[words_pb2.Category.Value(f"CATEGORY_{one}") for one in categories],
        )
        with asking(caller):
            return self.public.RevokeConsent(request, CONTEXT)

    def state(self, *statements: asked.ScopeStatement, service: str = "referral") -> int:
        with serving(service):
            return self.internal.StateScope(asked.StateScopeRequest(statements=statements), CONTEXT).epoch

    def link(self, *subjects: str, participant: str = PARTICIPANT, by: str = "acc_case") -> int:
        """Link subjects, as somebody confirmed it; with an empty `by` as a rule found it."""
        request = asked.LinkSubjectsRequest(participant_id=participant, subject_ids=subjects, confirmed_by=by)
        with serving("casework"):
            return self.internal.LinkSubjects(request, CONTEXT).epoch

    def decide(self, *questions: asked.DecideRequest) -> list[asked.Decision]:
        with serving("gateway"):
            return [one for each in questions for one in self.internal.Decide(each, CONTEXT).decisions]

    def seen(
        self,
        role: str,
        agency: str,
        purpose: str,
        source: str = "outreach",
        record: str = REFERRAL,
        subject: str = SUBJECT,
    ) -> set[str]:
        """The category words about the person that the decision shows."""
        [decision] = self.decide(a_question(role, agency, purpose, source, record, subject))
        return set(words(decision.visible)) - IMPERSONAL

    def agree(self, *agreements: Agreement) -> None:
        """Register agreements or approvals, as a seed does."""
        with self.desk.db.write() as connection:
            roll.add_missing(connection, Registry({}, {}, agreements))
            epochs.bump(connection, "registry seeded", (), self.clock.now(), everything=True)
        self.desk.decider.reload()

    def spooled(self) -> list[EntryDraft]:
        """What is on its way to the ledger, oldest first."""
        with self.desk.db.read() as connection:
            rows = connection.execute(select(LEDGER_SPOOL).order_by(LEDGER_SPOOL.c.place)).all()
        return [EntryDraft.FromString(row.entry) for row in rows]


def an_office(folder: Path, clock: FakeClock | None = None, **config: Any) -> Office:
    """A desk with the sample agencies; its participant is on the outreach agency's caseload and linked to a subject."""
    clock = clock or FakeClock()
    db = a_database(folder)
    with db.write() as connection:
        roll.add_missing(connection, replace(a_registry(), accounts=ACCOUNTS))
    settings, ids = a_config(folder, **config), Ids()
    log = DecisionLog(db, ids, the_policy().version)
    decider = Decider(db, the_policy(), clock, log)
    spool = SpoolSender(db, LEDGER_SPOOL, lambda _: None)
    desk = Desk(settings, db, clock, ids, decider, Sessions(db, clock), b"idempotency of the tests", spool)
    keys = Keys(KeyFile(settings.kek))
    office = Office(desk, clock, ConsentServicer(desk), ConsentInternalServicer(desk, keys), keys, log)
    office.link(SUBJECT)
    office.state(a_statement("CASELOAD", "outreach", record=PARTICIPANT), service="casework")
    return office


def asking(caller: Caller) -> AbstractContextManager[None]:
    """A public call of this caller, as the chain sets it up."""
    return acting(caller, RequestInfo("req_sample", "gateway"))


def serving(service: str) -> AbstractContextManager[None]:
    """An internal call of this service."""
    return acting(None, RequestInfo("req_sample", service))


def a_statement(
    fact: str, agency: str = "", record: str = REFERRAL, version: int = 1, **more: Any
) -> asked.ScopeStatement:
    """A statement of an area; `since` and `until` are times, the rest are fields of the message."""
    times = {"from_time": more.pop("since", None), "until_time": more.pop("until", None)}
    said = asked.ScopeStatement(
        fact=asked.ScopeFact.Value(f"SCOPE_FACT_{fact}"), agency_id=agency, record_id=record, version=version
    )
    for name, value in {"subject_id": SUBJECT, **more}.items():
        setattr(said, name, value)
    for name, at in times.items():
        if at is not None:
            getattr(said, name).CopyFrom(time_to_wire(at))
    return said


def a_question(
    role: str, agency: str, purpose: str, source: str = "outreach", record: str = REFERRAL, subject: str = SUBJECT
) -> asked.DecideRequest:
    return asked.DecideRequest(
        asker=asked.Asker(
            account_id="acc_sample",
            agency_id=agency,
            role=words_pb2.Role.Value(f"ROLE_{role.upper()}"),
            purpose=words_pb2.Purpose.Value(f"PURPOSE_{purpose}"),
            site_ids=AGENCIES[agency].site_ids if agency in AGENCIES else (),
            participant_id=PARTICIPANT if role == "participant" else "",
        ),
        records=[options_pb2.Reference(subject_id=subject, source_agency_id=source, record_id=record)],
        request_id="req_sample",
    )


def a_release(**changes: Any) -> Draft:
    """A release to the prosecutor, as it would be signed now."""
    return a_draft(**{"expires_at": a_draft().signed_at + 365 * DAY, **changes})  # type: ignore[operator]


def references(decisions: Iterable[asked.Decision]) -> list[str]:
    """The consents that decisions cite."""
    return [ruling.consent_id for one in decisions for ruling in one.rulings if ruling.consent_id]
