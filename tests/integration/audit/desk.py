"""Audit on a real SQLite file, without a server: what the tests of its store and handlers stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft, Identifying
from lead.audit.v1.audit_pb2 import ENTRY_KIND_ACCESS, ENTRY_KIND_DISCLOSURE
from lead.options.v1.words_pb2 import PURPOSE_DIVERSION_COORD, ROLE_PROSECUTOR
from sqlalchemy import Connection

from services.audit.handlers import Desk
from services.audit.ledger import Ledger
from services.audit.merkle import Frontier
from services.audit.sealing import Sealing
from services.audit.signer import Signer
from services.audit.soundness import sound_head
from services.audit.witness import Witness
from services.shared.db import Database, make_engine
from services.shared.db.migrations import upgrade
from services.shared.sharing.assertion import Caller
from tests.support.clock import NOON, FakeClock

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AREA_KEY = bytes(range(32, 64))
ORIGIN = "ledger.example/lead"
SUBJECT, OTHER_SUBJECT = "sub_0198c1e2-0000-7000-8000-000000000001", "sub_0198c1e2-0000-7000-8000-000000000002"
PARTICIPANT = "par_0198c1e2-0000-7000-8000-000000000003"
ACCOUNT = "acc_0198c1e2-0000-7000-8000-000000000004"


def a_database(folder: Path) -> Database:
    """A migrated database in this folder."""
    engine = make_engine(f"sqlite:///{folder / 'audit.db'}")
    upgrade("audit", engine)
    return Database(engine)


def a_ledger(db: Database, witnesses: tuple[Witness, ...] = (), **beside: Any) -> Ledger:
    def checked(connection: Connection) -> Frontier:
        return sound_head(connection, KEY.public_key(), witnesses)

    return Ledger(db, Sealing(AREA_KEY), checked, **beside)


@contextmanager
def a_desk(
    folder: Path,
    granted: Callable[[Caller], frozenset[str]] = lambda _: frozenset({SUBJECT}),
    witnesses: tuple[Witness, ...] = (),
    clock: FakeClock | None = None,
) -> Iterator[Desk]:
    """A desk whose ledger lies in this folder; closed and free for another one afterwards."""
    db = a_database(folder)
    ledger = a_ledger(db, witnesses)
    signer = Signer(db, ledger, KEY, ORIGIN, witnesses, clock or FakeClock())
    try:
        yield Desk(db, Sealing(AREA_KEY), ledger, signer, granted)
    finally:
        ledger.close()
        db.engine.dispose()


def a_draft(kind: Any, key: str = "", at: datetime = NOON, **changes: Any) -> EntryDraft:
    draft = EntryDraft(
        kind=kind,
        agency_id="prosecutor-north",
        role=ROLE_PROSECUTOR,
        purpose=PURPOSE_DIVERSION_COORD,
        method="lead.review.v1.ReviewService/GetReview",
        outcome="OK",
        policy_version="p1",
        request_id="req-1",
        entry_key=key,
        identifying=Identifying(account_id=ACCOUNT, subject_id=SUBJECT, record_id="ref_1"),
    )
    draft.time.FromDatetime(at.astimezone(UTC))
    for name, value in changes.items():
        setattr(draft, name, value)
    return draft


def a_basis(row: int = 15, rule: str = "consent", **changes: Any) -> EntryDraft.Basis:
    basis = EntryDraft.Basis(
        categories=1 << 10,
        row=row,
        rule=rule,
        law="42 CFR 2.31",
        consent_id="con_1",
        consent_version=2,
        source_agency_id="case-management-north",
    )
    for name, value in changes.items():
        setattr(basis, name, value)
    return basis


def a_disclosure(key: str = "", subject: str = SUBJECT, bases: int = 1, **changes: Any) -> EntryDraft:
    """One release, on so many bases."""
    draft = a_draft(ENTRY_KIND_DISCLOSURE, key, **changes)
    draft.identifying.subject_id = subject
    draft.bases.extend(a_basis(row=15 + number) for number in range(bases))
    return draft


an_access = partial(a_draft, ENTRY_KIND_ACCESS)


def the_participant(participant_id: str = PARTICIPANT) -> Caller:
    return Caller("acc_p", "", "", "participant", "PATRQT", participant_id=participant_id)
