"""Configuration: what is wrong is told at once, with what to do, and without the value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared import config_values
from services.shared.config import ConfigError, load

SECRET = "hunter2-testa"


class Log(StrEnum):
    KAFKA = "kafka"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Tls:
    ca: Path
    key: Path
    days: int = 30


@dataclass(frozen=True)
class Config:
    address: str
    workers: int
    tls: Tls
    ratio: float = 0.5
    debug: bool = False
    wait: timedelta = timedelta(seconds=5)
    log: Log = Log.EMBEDDED
    level: Literal["low", "high"] = "low"
    sites: tuple[str, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)
    second: Tls | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError("workers must be at least 1")


WHOLE = """
address = "127.0.0.1:7000"
workers = 4
ratio = 1
debug = true
wait = 2.5
log = "kafka"
level = "high"
sites = ["north", "south"]
limit = 9
[tls]
ca = "ca.crt"
key = "/keys/a.key"
[weights]
a = 1.5
"""


def read(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "referral.toml"
    path.write_text(text)
    return load(Config, path, environ={f"LEADX_{name}": value for name, value in environ.items()})


def problems(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        read(folder, text, **environ)
    assert SECRET not in str(refused.value)
    return refused.value.problems


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Config(
        address="127.0.0.1:7000",
        workers=4,
        tls=Tls(tmp_path / "ca.crt", Path("/keys/a.key")),
        ratio=1.0,
        debug=True,
        wait=timedelta(seconds=2.5),
        log=Log.KAFKA,
        level="high",
        sites=("north", "south"),
        weights={"a": 1.5},
        limit=9,
    )


def test_the_environment_wins_over_the_file_and_overrides_over_both(tmp_path: Path) -> None:
    path = tmp_path / "referral.toml"
    path.write_text(WHOLE)
    environ = {"LEADX_WORKERS": "7", "LEADX_ADDRESS": "a:1", "LEADX_TLS_DAYS": "3", "LEADX_OTHER": "x", "WORKERS": "9"}
    got = load(Config, path, {"address": "b:2", "tls": {"ca": "x.crt"}}, environ)
    assert (got.address, got.workers, got.tls) == ("b:2", 7, Tls(Path("x.crt"), Path("/keys/a.key"), 3))


def test_every_type_can_come_from_the_environment(tmp_path: Path) -> None:
    got = read(tmp_path, WHOLE, DEBUG="no", RATIO="0.25", WAIT="1", LOG="embedded", SITES="a, b", LIMIT="1", TLS_CA="c")
    assert (got.debug, got.ratio, got.wait, got.log) == (False, 0.25, timedelta(seconds=1), Log.EMBEDDED)
    assert (got.sites, got.limit, got.tls.ca) == (("a", "b"), 1, Path("c"))


def test_a_file_is_not_needed_when_the_environment_says_all() -> None:
    environ = {"LEADX_ADDRESS": "a:1", "LEADX_WORKERS": "1", "LEADX_TLS_CA": "a", "LEADX_TLS_KEY": "b"}
    assert load(Config, None, environ=environ).tls == Tls(Path("a"), Path("b"))


def test_an_optional_section_is_read_when_it_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE).second is None
    assert read(tmp_path, WHOLE, SECOND_CA="a", SECOND_KEY="b").second == Tls(Path("a"), Path("b"))
    assert problems(tmp_path, WHOLE + "[second]\nca = 'x'") == (
        "second.key is required: set it in the file, or LEADX_SECOND_KEY; it is a path",
    )


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    text = f"""
workers = "{SECRET}"
adress = "{SECRET}"
ratio = true
log = "{SECRET}"
level = "{SECRET}"
sites = ["a", 1]
zebra = 1
[tls]
ca = 7
days = 1.5
"""
    assert problems(tmp_path, text, DEBUG=SECRET) == (
        "address is required: set it in the file, or LEADX_ADDRESS; it is a text",
        "adress is unknown: did you mean address?",
        "debug must be true or false",
        "level must be one of low, high",
        "log must be one of kafka, embedded",
        "ratio must be a number",
        "sites must be a list, each a text",
        "tls.ca must be a path",
        "tls.days must be a whole number",
        "tls.key is required: set it in the file, or LEADX_TLS_KEY; it is a path",
        "workers must be a whole number",
        f"zebra is unknown: remove it; known here: {', '.join(sorted(each.name for each in fields(Config)))}",
    )


def test_a_missing_section_tells_all_it_needs(tmp_path: Path) -> None:
    found = problems(tmp_path, "address = 'a'\nworkers = 1")
    assert [line.split()[0] for line in found] == ["tls.ca", "tls.key"]


def test_a_section_that_is_a_value_is_told(tmp_path: Path) -> None:
    assert problems(tmp_path, "address = 'a'\nworkers = 1\ntls = 'x'") == ("tls must be a section of its own",)


def test_what_the_dataclass_checks_is_told_like_the_rest(tmp_path: Path) -> None:
    assert problems(tmp_path, WHOLE, WORKERS="0") == ("it workers must be at least 1",)


@pytest.mark.parametrize("content", [b"address = \n", b"a = 'hunter2-testa", b"\xff\xfe", b"= hunter2-testa"])
def test_a_file_that_is_not_toml_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "referral.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load(Config, path)
    assert SECRET not in str(refused.value)


def test_a_missing_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(Config, tmp_path / "absent.toml")


VALUES = st.recursive(
    st.text(max_size=5) | st.integers() | st.booleans() | st.floats() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(
    ["address", "workers", "tls", "ratio", "debug", "wait", "log", "level", "sites", "weights", "limit", "x"]
)


@given(st.dictionaries(KEYS, VALUES))
def test_any_value_is_taken_or_told(given_values: dict[str, object]) -> None:
    try:
        got = load(Config, None, given_values, {})
    except ConfigError:
        return
    assert got.workers >= 1


@pytest.mark.parametrize("text", ["inf", "nan", "-inf", "1e400"])
def test_a_number_is_finite(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, WHOLE, WAIT=text, RATIO=text) == (
        "ratio must be a number",
        "wait must be a number of seconds",
    )


def test_a_list_of_sections_becomes_dataclasses_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Issuer:
        name: str
        keys: Path

    good = config_values.convert(tuple[Issuer, ...], [{"name": "a", "keys": "k.json"}], tmp_path)
    assert good == (Issuer("a", tmp_path / "k.json"),)
    for wrong in ([{"name": "a"}], [{"name": "a", "keys": "k", "more": 1}], ["a"], [{"name": 1, "keys": "k"}]):
        with pytest.raises(ValueError, match="not of this type"):
            config_values.convert(tuple[Issuer, ...], wrong, tmp_path)
