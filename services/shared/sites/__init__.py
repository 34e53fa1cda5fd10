"""The site packs: what each county decided for its programme, as frozen data with the clocks and routing that follow.

A pack is one file, deploy/sites/<site>.toml. It is read once, checked as a whole, and passed in.
"""

from __future__ import annotations

from services.shared.sites.clocks import due_time, handoff_window_end
from services.shared.sites.load import PackError, load_sites, parse_site
from services.shared.sites.pack import (
    Approvals,
    Charging,
    Clocks,
    Policy,
    Route,
    Routing,
    Rule,
    Site,
)
from services.shared.sites.routing import Routable, offices

__all__ = [
    "Approvals",
    "Charging",
    "Clocks",
    "PackError",
    "Policy",
    "Routable",
    "Route",
    "Routing",
    "Rule",
    "Site",
    "due_time",
    "handoff_window_end",
    "load_sites",
    "offices",
    "parse_site",
]
