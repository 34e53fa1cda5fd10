"""Wires consent."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from lead.audit.v1 import audit_internal_service_pb2 as audit
from lead.audit.v1.audit_internal_service_pb2_grpc import AuditInternalServiceStub
from lead.consent.v1.consent_internal_service_pb2_grpc import add_ConsentInternalServiceServicer_to_server
from lead.consent.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server

from services.consent import epochs, history, roll, seed
from services.consent.config import Config
from services.consent.decider import Decider
from services.consent.decisions import DecisionLog
from services.consent.handlers import Desk
from services.consent.internal import ConsentInternalServicer
from services.consent.kek import KeyFile
from services.consent.keys import Keys
from services.consent.models import LEDGER_SPOOL
from services.consent.policy.compile import Policy
from services.consent.servicer import ConsentServicer
from services.consent.sessions import Sessions
from services.shared.area import Process, open_database
from services.shared.clock import Clock, SystemClock
from services.shared.db import Database
from services.shared.ids import Ids
from services.shared.ledger import SpoolSender
from services.shared.rpc.client import channel
from services.shared.rpc.server import Registration


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> Process:
    """Return consent, ready to start. Raises SchemaNotCurrent while migrations are pending."""
    clock, ids = clock or SystemClock(), ids or Ids()
    db = open_database("consent", config)
    _seed(config, db, clock)
    policy = _policy(db)
    log = DecisionLog(db, ids, policy.version)
    stub = AuditInternalServiceStub(channel(config.audit_address, config.tls, "audit"))

    def append(entries: Sequence[audit.EntryDraft]) -> None:
        stub.AppendEntries(audit.AppendEntriesRequest(entries=entries))

    spool = SpoolSender(db, LEDGER_SPOOL, append)
    desk = Desk(config, db, clock, ids, Decider(db, policy, clock, log), Sessions(db, clock), _secret(config), spool)
    services: list[Registration] = [
        (add_ConsentServiceServicer_to_server, ConsentServicer(desk)),
        (add_ConsentInternalServiceServicer_to_server, ConsentInternalServicer(desk, Keys(KeyFile(config.kek)))),
    ]
    return Process("consent", config, clock, services, (log, spool), lambda: True)


def _seed(config: Config, db: Database, clock: Clock) -> None:
    if config.registry_seed is None:
        return
    with db.write() as connection:
        if roll.add_missing(connection, seed.read(config.registry_seed)):
            epochs.bump(connection, "registry seeded", (), clock.now(), everything=True)


def _policy(db: Database) -> Policy:
    """Return the matrix, and keep its text for replays under it."""
    policy = Policy.load()
    with db.write() as connection:
        history.keep_policy(connection, policy)
    return policy


def _secret(config: Config) -> bytes:
    """Return the secret of the idempotency table, which needs no key file of its own."""
    return hmac.digest(config.kek.read_bytes(), b"lead.consent.v1/idempotency", hashlib.sha256)
