"""Settings of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.authenticate import Issuer
from services.shared.identity import TlsFiles


@dataclass(frozen=True, kw_only=True)
class FeedSettings:
    """How live delivery behaves."""

    # Days that an event is kept for those who come back for it.
    kept_days: int = 30
    # Open streams of one agency, and of all together; one more is refused.
    streams_per_agency: int = 8
    streams: int = 200
    # A stream shows that it lives at least so often, in seconds.
    alive_seconds: float = 15.0
    # A stream ends after so many seconds; its client comes back with its cursor.
    most_seconds: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything the gateway must be told, read once."""

    # Where the two faces listen.
    host: str = "127.0.0.1"
    http_port: int = 8080
    grpc_port: int = 8081
    # What the faces show to clients.
    public_cert: Path
    public_key: Path
    # What the gateway shows to areas, and the authority that all services share.
    tls: TlsFiles
    # Private key (PEM, Ed25519) that caller assertions are signed with.
    assertion_key: Path
    # File with the 32-byte key that list cursors are sealed under.
    cursor_key: Path
    # sqlite:///file or postgresql://…
    database_url: str
    # host:port by area; an area that is not named answers 404.
    areas: dict[str, str]
    # Issuers whose tokens are believed.
    issuers: tuple[Issuer, ...]
    # Folder of the embedded log; without it there is no live delivery, and its method is not there.
    log_folder: Path | None = None
    feed: FeedSettings = FeedSettings()
    # `none`, `file:<path>` or `otlp:<endpoint>`.
    trace: str = "none"
