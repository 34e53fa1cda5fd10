"""The wiring of casework: nothing connects before the process starts what is built here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lead.casework.v1.casework_service_pb2_grpc import add_CaseworkServiceServicer_to_server

from services.casework import consumers, handlers
from services.casework.config import Config
from services.casework.index.consumers import Linker
from services.casework.index.publish import Publishing, forget
from services.casework.index.tokens import Tokens
from services.casework.index.worker import Worker
from services.casework.models import CIPHER, METADATA
from services.casework.servicer import CaseworkServicer
from services.shared.area import App, load_cipher, open_parts
from services.shared.chores import Chore
from services.shared.clock import Clock
from services.shared.ids import Ids

_FORGET_EVERY_SECONDS = 300.0
_LOOK_BACK_EVERY_SECONDS = 3600.0


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> App:
    """Return the area, ready to be run. Raises what `open_parts` and `load_cipher` raise for a wrong configuration."""
    load_cipher(CIPHER, config)
    parts = open_parts("casework", config, METADATA, clock, ids)
    publishing = Publishing(parts)
    worker = Worker(publishing)
    linker = Linker(_tokens(config), parts.ids, worker.nudge)
    look_back = timedelta(days=config.look_back_days)
    return App(
        # The worker stops before the relay that it nudges.
        replace(parts, runs=(*parts.runs, worker)),
        services=[(add_CaseworkServiceServicer_to_server, CaseworkServicer(parts, publishing))],
        topics=("referral", "outcomes"),
        handlers=consumers.handlers(linker),
        chores=[
            Chore("forget requests", _FORGET_EVERY_SECONDS, lambda: handlers.forget_requests(parts)),
            Chore("forget strangers", _LOOK_BACK_EVERY_SECONDS, lambda: forget(parts, look_back)),
        ],
    )


def _tokens(config: Config) -> Tokens:
    if config.area_key is None:
        raise ValueError("the person index needs area_key")
    return Tokens(config.area_key.read_bytes())
