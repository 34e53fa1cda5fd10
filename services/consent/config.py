"""Settings of consent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.shared.area import AreaConfig


@dataclass(frozen=True, kw_only=True)
class Config(AreaConfig):
    """Everything consent must be told, read once."""

    # File with the 32-byte key-encryption key. In production a KMS of another legal entity holds it.
    kek: Path
    # host:port of audit.
    audit_address: str
    # 42 CFR 2.35 releases; a site turns them on with counsel's sign-off (P2-84).
    cj_referral_enabled: bool = False
    # File of agencies, accounts and agreements to add where they are missing.
    registry_seed: Path | None = None
