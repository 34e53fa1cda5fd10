"""The wiring of provider: nothing connects before the process starts what is built here."""

from __future__ import annotations

from lead.provider.v1.provider_service_pb2_grpc import add_ProviderServiceServicer_to_server

from services.provider import consumers
from services.provider.config import Config
from services.provider.handlers.desk import Desk
from services.provider.models import CIPHER, IDEMPOTENCY, METADATA
from services.provider.sealed import Secrets, secrets_of
from services.provider.servicer import ProviderServicer
from services.shared.area import App, Parts, load_cipher, open_parts
from services.shared.chores import Chore
from services.shared.clock import Clock
from services.shared.db import idempotency
from services.shared.ids import Ids


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> App:
    """Return the area, ready to be run. Raises what `open_parts` and `load_cipher` raise for a wrong configuration."""
    load_cipher(CIPHER, config)
    parts = open_parts("provider", config, METADATA, clock, ids)
    desk = Desk(parts, _secrets(config))
    return App(
        parts,
        services=[(add_ProviderServiceServicer_to_server, ProviderServicer(desk))],
        topics=consumers.TOPICS,
        handlers=consumers.handlers(parts.clock),
        chores=[Chore("purge", config.purge_every_seconds, lambda: purge(parts))],
    )


def purge(parts: Parts) -> None:
    """Delete idempotency keys whose 30 days are over."""
    with parts.db.write() as connection:
        idempotency.forget(connection, IDEMPOTENCY, parts.clock.now())


def _secrets(config: Config) -> Secrets:
    if config.area_key is None:
        raise ValueError("an area with sealed columns needs area_key")
    return secrets_of(config.area_key.read_bytes())
