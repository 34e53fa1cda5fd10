"""Where files lie that are no code and yet are read at run time."""

from __future__ import annotations

from pathlib import Path

_SERVICES = Path(__file__).resolve().parent.parent


def site_packs() -> Path:
    """Return the folder of the site packs, one `<site>.toml` each.

    In a checkout that is deploy/sites; in an installed wheel the copy that the build put beside their reader.
    """
    checkout = _SERVICES.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "deploy" / "sites"
    return _SERVICES / "shared" / "sites" / "packs"
