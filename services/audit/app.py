"""The wiring of audit, which publishes and consumes no events: everything on the ledger comes by call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lead.audit.v1.audit_internal_service_pb2_grpc import add_AuditInternalServiceServicer_to_server
from lead.audit.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from lead.consent.v1.consent_internal_service_pb2 import ListGrantedSubjectsRequest
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub

from services.audit.config import Config
from services.audit.handlers import Desk, GrantedSubjects
from services.audit.internal import AuditInternalServicer
from services.audit.ledger import Ledger
from services.audit.sealing import Sealing
from services.audit.servicer import AuditServicer
from services.audit.signer import Signer
from services.audit.soundness import sound_head
from services.audit.witness import Witness
from services.shared.area import Process, open_database
from services.shared.chores import Chore
from services.shared.clock import Clock, SystemClock
from services.shared.identity import load_signing_key
from services.shared.ids import Ids
from services.shared.rpc.client import channel
from services.shared.sharing.assertion import Caller
from services.shared.sharing.client import asker

_SIGNED_EVERY_SECONDS = 1.0


def build(config: Config, clock: Clock | None = None, ids: Ids | None = None) -> Process:  # noqa: ARG001 - as all areas
    """Wire audit. Raises SchemaNotCurrent while migrations are pending, OSError, TypeError or ValueError for a key."""
    clock = clock or SystemClock()
    desk = open_desk(config, clock, _granted_subjects(config))
    return Process(
        "audit",
        config,
        clock,
        services=[
            (add_AuditServiceServicer_to_server, AuditServicer(desk)),
            (add_AuditInternalServiceServicer_to_server, AuditInternalServicer(desk)),
        ],
        # In the end: no more turns, then a last checkpoint over what came since, then the ledger is let go.
        runs=[
            _AtEnd(desk.ledger.close),
            _AtEnd(desk.signer.tick),
            Chore("checkpoints", _SIGNED_EVERY_SECONDS, desk.signer.tick),
        ],
        ready=desk.ledger.is_open,
    )


def open_desk(config: Config, clock: Clock, granted_subjects: GrantedSubjects) -> Desk:
    """Wire what the faces work with; the ledger opens itself when it is first needed. Raises as `build` does."""
    if config.area_key is None:
        raise ValueError("audit needs area_key: it seals who the entries are about")
    db = open_database("audit", config)
    key, sealing = load_signing_key(config.ledger_key), Sealing(config.area_key.read_bytes())
    witnesses = [Witness(folder) for folder in config.witnesses]
    ledger = Ledger(db, sealing, partial(sound_head, public_key=key.public_key(), witnesses=witnesses))
    return Desk(db, sealing, ledger, Signer(db, ledger, key, config.origin, witnesses, clock), granted_subjects)


@dataclass(frozen=True, slots=True)
class _AtEnd:
    """Something to do when the process ends."""

    work: Callable[[], object]

    def start(self) -> None:
        """Nothing before the end."""

    def stop(self) -> None:
        """Do it."""
        self.work()


def _granted_subjects(config: Config) -> GrantedSubjects:
    # Asked each time and never remembered: audit holds no session with consent, and participants ask rarely.
    stub = ConsentInternalServiceStub(channel(config.consent_address, config.tls, "consent"))

    def ask(caller: Caller) -> frozenset[str]:
        return frozenset(stub.ListGrantedSubjects(ListGrantedSubjectsRequest(asker=asker(caller))).subject_ids)

    return ask
