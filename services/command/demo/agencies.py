"""The sample agencies by their kind, as the directory lists them (deploy/sites/agencies.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from services.shared.places import site_packs


def kind_of(agency_id: str) -> str:
    """Return the kind of a sample agency, empty for any other."""
    return _kinds().get(agency_id, "")


@cache
def _kinds() -> Mapping[str, str]:
    listed = tomllib.loads((site_packs() / "agencies.toml").read_text("utf-8"))["agencies"]
    return {one["slug"]: one["kind"] for one in listed}
