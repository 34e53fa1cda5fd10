"""The wiring of casework: nothing connects before the process starts what is built here."""

from __future__ import annotations

from lead.casework.v1.casework_service_pb2_grpc import add_CaseworkServiceServicer_to_server

from services.casework import consumers, handlers
from services.casework.config import Config
from services.casework.models import CIPHER, METADATA
from services.casework.servicer import CaseworkServicer
from services.shared.area import App, load_cipher, open_parts
from services.shared.chores import Chore
from services.shared.clock import Clock
from services.shared.ids import Ids

_FORGET_EVERY_SECONDS = 300.0


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> App:
    """Return the area, ready to be run. Raises what `open_parts` and `load_cipher` raise for a wrong configuration."""
    load_cipher(CIPHER, config)
    parts = open_parts("casework", config, METADATA, clock, ids)
    return App(
        parts,
        services=[(add_CaseworkServiceServicer_to_server, CaseworkServicer(parts))],
        topics=("referral",),
        handlers=consumers.handlers(),
        chores=[Chore("forget requests", _FORGET_EVERY_SECONDS, lambda: handlers.forget_requests(parts))],
    )
