"""Settings of audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.shared.area import AreaConfig


@dataclass(frozen=True, kw_only=True)
class Config(AreaConfig):
    """Everything audit must be told, read once. Its area key seals who the entries are about; it is required here."""

    # PEM file with the Ed25519 key that signs checkpoints; its public half lies beside it as `.pub`.
    ledger_key: Path
    # Name of this ledger in its checkpoints, one per installation: visible ASCII without blanks and plus signs.
    origin: str = "lead-exchange/ledger"
    # A folder for each agency that keeps checkpoints; production wants two agencies at least (AU-02).
    witnesses: tuple[Path, ...] = ()
