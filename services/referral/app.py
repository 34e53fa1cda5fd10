"""The wiring of referral: nothing connects before the process starts what is built here."""

from __future__ import annotations

import hashlib
import hmac

from lead.referral.v1.referral_service_pb2_grpc import add_ReferralServiceServicer_to_server

from services.referral import consumers, store_incidents
from services.referral.config import Config
from services.referral.directory import RegistryDirectory
from services.referral.handlers.desk import Desk
from services.referral.incident_key import Keyed
from services.referral.limits import Buckets
from services.referral.models import CIPHER, IDEMPOTENCY, METADATA
from services.referral.servicer import ReferralServicer
from services.shared.area import App, Parts, load_cipher, open_parts
from services.shared.chores import Chore
from services.shared.clock import Clock
from services.shared.db import idempotency
from services.shared.ids import Ids


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> App:
    """Return the area, ready to be run. Raises what `open_parts` and `load_cipher` raise for a wrong configuration."""
    load_cipher(CIPHER, config)
    parts = open_parts("referral", config, METADATA, clock, ids)
    return App(
        parts,
        services=[(add_ReferralServiceServicer_to_server, ReferralServicer(desk_of(parts, config, _area_key(config))))],
        topics=consumers.TOPICS,
        handlers=consumers.handlers(parts.clock),
        chores=[Chore("purge", config.purge_every_seconds, lambda: purge(parts))],
    )


def desk_of(parts: Parts, config: Config, area_key: bytes) -> Desk:
    """Return what use cases work with; the area's key stands behind idempotency keys and keyed numbers."""
    return Desk(
        db=parts.db,
        commit=parts.commit,
        consent=parts.consent,
        clock=parts.clock,
        ids=parts.ids,
        sites=parts.sites,
        directory=RegistryDirectory(parts.consent.registry, parts.clock),
        screens=Buckets(config.screens_per_minute, parts.clock),
        secret=hmac.digest(area_key, b"lead.referral.v1/idempotency", hashlib.sha256),
        keyed=Keyed(area_key),
    )


def purge(parts: Parts) -> None:
    """Delete what was only to be kept for its 30 days: candidates that nobody referred, idempotency keys."""
    now = parts.clock.now()
    with parts.db.write() as connection:
        store_incidents.purge(connection, now)
        idempotency.forget(connection, IDEMPOTENCY, now)


def _area_key(config: Config) -> bytes:
    if config.area_key is None:
        raise ValueError("an area with sealed columns needs area_key")
    return config.area_key.read_bytes()
