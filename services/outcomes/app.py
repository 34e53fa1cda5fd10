"""The wiring of outcomes: nothing connects before the process starts what is built here."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from lead.outcomes.v1.outcomes_service_pb2_grpc import add_OutcomesServiceServicer_to_server

from services.outcomes import consumers, store
from services.outcomes.approvals import Approvals
from services.outcomes.config import Config
from services.outcomes.freezing import Freezer, FreezingChore
from services.outcomes.handlers import Desk
from services.outcomes.models import IDEMPOTENCY, METADATA
from services.outcomes.reports import Reports
from services.outcomes.servicer import OutcomesServicer
from services.shared.area import App, Parts, open_parts
from services.shared.chores import Chore
from services.shared.clock import Clock
from services.shared.db import idempotency
from services.shared.ids import Ids


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> App:
    """Return the area, ready to be run. Raises what `open_parts` raises, OSError and ValueError for a wrong key."""
    parts = open_parts("outcomes", config, METADATA, clock, ids)
    desk = desk_of(parts, config, _secret(config))
    return App(
        parts,
        services=[(add_OutcomesServiceServicer_to_server, OutcomesServicer(desk))],
        topics=consumers.TOPICS,
        handlers=consumers.handlers(parts.clock),
        chores=[
            Chore("purge", config.purge_every_seconds, lambda: purge(parts, config.look_back_days)),
            FreezingChore(Freezer(desk), config.freeze_every_seconds),
        ],
    )


def desk_of(parts: Parts, config: Config, secret: bytes) -> Desk:
    """Return what use cases work with; `secret` stands behind the HMACs that are kept."""
    return Desk(
        db=parts.db,
        commit=parts.commit,
        clock=parts.clock,
        ids=parts.ids,
        registry=parts.consent.registry,
        approved=Approvals(parts.consent, parts.consent.registry, parts.ids).current,
        sites=parts.sites,
        reports=Reports(parts.clock, config.report_wait_seconds, config.report_kept_seconds),
        secret=secret,
    )


def purge(parts: Parts, look_back_days: int) -> int:
    """Destroy justice events that no link has named for so long; returns how many. Old idempotency keys go as well."""
    now = parts.clock.now()
    with parts.db.write() as connection:
        idempotency.forget(connection, IDEMPOTENCY, now)
        return store.destroy_unlinked(connection, now - timedelta(days=look_back_days))


def _secret(config: Config) -> bytes:
    """Return the secret of idempotency keys and index events."""
    if config.area_key is None:
        raise ValueError("outcomes needs area_key: what it keeps of an index event is an HMAC under it")
    return hmac.digest(config.area_key.read_bytes(), b"lead.outcomes.v1/hmac", hashlib.sha256)
