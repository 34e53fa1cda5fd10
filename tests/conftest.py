"""What holds for every test: no other machine is reached, and the machine's own settings do not matter."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from tests.support.loopback import only_loopback

# A proxy from the environment would take loopback calls elsewhere.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]

# Far from UTC, with daylight saving: a naive time shows up as a wrong one on every machine alike.
os.environ["TZ"] = "America/New_York"
time.tzset()

set_hypothesis_home_dir(".cache/hypothesis")
# A busy machine is no failure; a failing example is printed so that it can be replayed elsewhere.
hypothesis.settings.register_profile("lead", deadline=None, print_blob=True)
hypothesis.settings.load_profile("lead")


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    with only_loopback():
        yield
