"""The wiring of review: nothing connects before the process starts what is built here."""

from __future__ import annotations

from lead.review.v1.review_service_pb2_grpc import add_ReviewServiceServicer_to_server

from services.review import consumers
from services.review.config import Config
from services.review.handlers import Desk
from services.review.models import CIPHER, METADATA
from services.review.servicer import ReviewServicer
from services.shared.area import App, load_cipher, open_parts
from services.shared.clock import Clock
from services.shared.ids import Ids


def build(config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> App:
    """Return the area, ready to be run. Raises what `open_parts` and `load_cipher` raise for a wrong configuration."""
    load_cipher(CIPHER, config)
    parts = open_parts("review", config, METADATA, clock, ids)
    desk = Desk(db=parts.db, commit=parts.commit, clock=parts.clock, ids=parts.ids)
    return App(
        parts,
        services=[(add_ReviewServiceServicer_to_server, ReviewServicer(desk))],
        topics=("referral", "casework"),
        handlers=consumers.handlers(parts.clock, parts.ids),
    )
