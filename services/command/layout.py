"""Where everything of a development exchange lies, under one folder that only its owner may enter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GATEWAY = "gateway"
# Consent and audit first: whoever asks them waits less.
AREAS = ("consent", "audit", "referral", "review", "casework", "provider", "outcomes")
PROCESSES = (*AREAS, GATEWAY)
# Consent holds a key-encryption key instead.
SEALING_AREAS = ("audit", "referral", "review", "casework", "provider", "outcomes")
WITNESSES = ("sample-city-attorney", "sample-defender")
DEFAULT_DATA = ".leadx"


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under the data folder, which is absolute."""

    data: Path

    @classmethod
    def at(cls, data: Path) -> Layout:
        """Return the layout of a folder, which need not be there yet."""
        return cls(data.expanduser().resolve())

    @property
    def tls(self) -> Path:
        """Folder of the development authority and of what it issued."""
        return self.data / "tls"

    @property
    def ca(self) -> Path:
        """Certificate that clients check the public faces by."""
        return self.tls / "ca.crt"

    @property
    def assertion_key(self) -> Path:
        """Private key of the gateway's caller assertions; `assertion.pub` lies beside it."""
        return self.data / "keys" / "assertion.key"

    @property
    def ledger_key(self) -> Path:
        """Private key of the ledger's checkpoints; `ledger.pub` lies beside it."""
        return self.data / "keys" / "ledger.key"

    @property
    def cursor_key(self) -> Path:
        """32 bytes that list cursors are sealed under."""
        return self.data / "keys" / "cursor.key"

    @property
    def kek(self) -> Path:
        """Key-encryption key of consent."""
        return self.data / "keys" / "kek.key"

    @property
    def issuer_key(self) -> Path:
        """Private key of the development issuer, which makes tokens."""
        return self.data / "issuer" / "issuer.key"

    @property
    def jwks(self) -> Path:
        """Published key of the development issuer."""
        return self.data / "issuer" / "jwks.json"

    @property
    def run(self) -> Path:
        """What only matters while the exchange runs."""
        return self.data / "run"

    @property
    def metrics(self) -> Path:
        """Where all processes keep their metrics, so that one answer tells them all."""
        return self.run / "metrics"

    @property
    def state(self) -> Path:
        """Ports and process ids of the running exchange, as JSON."""
        return self.run / "state.json"

    @property
    def event_log(self) -> Path:
        """Folder of the embedded log of sealed events."""
        return self.data / "log"

    def area_key(self, area: str) -> Path:
        """Key of an area's sealed columns."""
        return self.data / "keys" / f"{area}.key"

    def config(self, process: str) -> Path:
        """Configuration file of an area or of the gateway."""
        return self.data / "config" / f"{process}.toml"

    def database(self, process: str) -> Path:
        """SQLite file of an area or of the gateway."""
        return self.data / f"{process}.db"

    def log(self, process: str) -> Path:
        """What a process writes to stderr."""
        return self.data / "logs" / f"{process}.log"

    def spans(self, process: str) -> Path:
        """Where a process writes its spans when tracing is on."""
        return self.data / "spans" / f"{process}.jsonl"

    def witness(self, agency: str) -> Path:
        """Folder that an agency takes checkpoints from."""
        return self.data / "witness" / agency
