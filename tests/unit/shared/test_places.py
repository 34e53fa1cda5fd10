"""Files that are no code are found where they lie."""

from __future__ import annotations

from pathlib import Path

from services.shared.places import site_packs


def test_a_checkout_reads_its_site_packs_from_deploy() -> None:
    root = Path(__file__).resolve().parents[3]
    assert site_packs() == root / "deploy" / "sites"
