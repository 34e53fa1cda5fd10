"""Site packs: both load, wrong ones are refused with every wrong place named, and nothing of them is shown."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.options.v1 import words_pb2

from services.shared.places import site_packs
from services.shared.sites import Approvals, PackError, load_sites, parse_site
from services.shared.sites.load import site_from
from services.shared.sites.rules import MaxQuantity
from services.shared.sites.words import DOORS, Role, level_word, split_statute

SANTA_FE = (site_packs() / "santa-fe.toml").read_text(encoding="utf-8")


def _refused(text: str) -> dict[str, str]:
    """What is wrong with this pack, by path."""
    with pytest.raises(PackError) as refused:
        parse_site(text.encode(), "santa-fe")
    return {each.path: each.wish for each in refused.value.violations}


def _changed(*changes: tuple[str, str]) -> str:
    text = SANTA_FE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_both_packs_load() -> None:
    sites = load_sites(site_packs())
    assert sites.keys() == {"seattle", "santa-fe"}
    seattle, santa_fe = sites["seattle"], sites["santa-fe"]
    assert [door for door in DOORS if seattle.doors[door]] == list(DOORS)
    assert not santa_fe.doors["COMMUNITY"]
    assert santa_fe.referrers_for("COMMUNITY") == ()
    assert (seattle.clocks.intake_days, santa_fe.clocks.intake_days) == (
        {"ARREST_DIVERSION": 30},
        {"ARREST_DIVERSION": 30, "SOCIAL_CONTACT": 30},
    )
    assert seattle.min_age == santa_fe.min_age == 18


def test_amounts_are_decimals_with_a_unit() -> None:
    rule = next(rule for rule in load_sites(site_packs())["seattle"].rules if rule.kind == "max_quantity")
    assert isinstance(rule.params, MaxQuantity)
    assert isinstance(rule.params.limit, Decimal)
    assert rule.params.limit == 3
    assert rule.params.unit == "g"
    assert rule.params.inclusive


def test_a_pack_is_frozen() -> None:
    site = parse_site(SANTA_FE.encode(), "santa-fe")
    with pytest.raises(FrozenInstanceError):
        site.name = "Other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        site.doors["COMMUNITY"] = True  # type: ignore[index]


def test_every_wrong_key_and_value_is_named_at_once() -> None:
    wrong = _refused(
        _changed(
            ('time_zone = "America/Denver"', 'time_zone = "America/Nowhere"\ncolour = "red"'),
            ("min_age = 18", 'min_age = "eighteen"'),
            ("juvenile_track = false", "juvenile_track = 0"),
            ("COMMUNITY = false", 'COMMUNITY = "no"\nSIDE = true'),
            ("effective_from = 2024-01-01", "effective_from = 2024-01-01T00:00:00Z"),
            ("handoff_target_minutes = 30\n", ""),
            ("outreach_days = 90", "outreach_days = 0"),
            ("remind_days = [10, 3]", "remind_days = [10, -3]"),
            ("SOCIAL_CONTACT = 30 }", "SOCIAL_CONTACT = true }"),
            ('on_miss = "PROSECUTOR_TASK"', 'on_miss = "FILE"'),
            ('all_of = ["prosecutor"]', 'all_of = "prosecutor"'),
            ("limit = 6", "limit = -6"),
            ('unit = "g"', 'unit = "spoon"'),
            ("weighed =", "weight ="),
            ('kind = "min_age"', 'kind = "max_age"'),
            ('fact = "for_profit"\n', ""),
            ('default_office = "sample-santa-fe-prosecutor"', 'default_office = "Sample Office"'),
        )
    )
    assert wrong.keys() == {
        "time_zone",
        "colour",
        "min_age",
        "juvenile_track",
        "doors.COMMUNITY",
        "doors.SIDE",
        "policy.effective_from",
        "clocks.handoff_target_minutes",
        "clocks.outreach_days",
        "clocks.remind_days[1]",
        "clocks.intake_days.SOCIAL_CONTACT",
        "clocks.on_miss",
        "approvals.all_of",
        "rules[1].kind",
        "rules[2].params.limit",
        "rules[2].params.unit",
        "rules[2].params.weight",
        "rules[3].params.fact",
        "routing.default_office",
    }
    assert wrong["clocks.handoff_target_minutes"] == "is missing"
    assert wrong["colour"] == "is not a key of a pack"


def test_parts_that_contradict_each_other_are_named() -> None:
    wrong = _refused(
        _changed(
            ('id = "santa-fe"\n', 'id = "santa-fee"\n'),
            ("COMMUNITY = false\n", ""),
            ('SOCIAL_CONTACT = ["police_officer", "police_rms", "police_liaison"]\n', ""),
            ('ARREST_DIVERSION = ["police', 'COMMUNITY = ["evaluator"]\nARREST_DIVERSION = ["police'),
            ("effective_from = 2024-01-01", "effective_from = 2024-01-01\neffective_to = 2024-01-01"),
            ('all_of = ["prosecutor"]', 'all_of = ["prosecutor"]\nany_of = ["defender"]'),
            ('name = "promoting"', 'name = "amenable"'),
            ('basis = "history check"', 'basis = "observation"'),
            ('drugs = ["opiates"]', 'drugs = ["opiates", "potions"]'),
            ("[drugs]", '[[routing.rules]]\noffice = "other-office"\nlevels = ["CAPITAL"]\n\n[drugs]'),
        )
    )
    assert wrong.keys() == {
        "id",
        "doors.COMMUNITY",
        "referrers.COMMUNITY",
        "referrers.SOCIAL_CONTACT",
        "policy.effective_to",
        "approvals",
        "rules[4].name",
        "rules[6].name",
        "rules[8].basis",
        "rules[2].params.drugs[1]",
        "routing.rules[0].levels[0]",
    }


def test_what_only_the_programme_knows_may_only_ask_for_its_review() -> None:
    pack = (site_packs() / "seattle.toml").read_text(encoding="utf-8")
    with pytest.raises(PackError, match=r"rules\[\d+\]\.failing must be PROGRAMME_REVIEW"):
        parse_site(pack.replace('failing = "PROGRAMME_REVIEW"\n', "").encode(), "seattle")


@pytest.mark.parametrize("content", [b"id = ", b"\xff\xfe", b'id = "a"\nid = "b"'])
def test_what_is_no_toml_is_refused(content: bytes) -> None:
    with pytest.raises(PackError, match="must be TOML"):
        parse_site(content, "santa-fe")


def test_wrong_places_of_all_files_are_named_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("rules = 3\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text("[rules]\n", encoding="utf-8")
    (tmp_path / "agencies.toml").write_text("not even TOML", encoding="utf-8")
    with pytest.raises(PackError) as refused:
        load_sites(tmp_path)
    lines = str(refused.value).splitlines()
    assert "a.toml: rules must be a list" in lines
    assert "b.toml: rules must be a list" in lines
    assert "a.toml: clocks is missing" in lines


def test_a_folder_without_a_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="at least one site pack"):
        load_sites(tmp_path)


toml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates() | st.decimals() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(sorted(tomllib.loads(SANTA_FE)))


@given(places, toml_values)
def test_no_value_breaks_the_reading_of_a_pack(place: str, value: object) -> None:
    table = {**tomllib.loads(SANTA_FE, parse_float=Decimal), place: value}
    with suppress(PackError):
        assert getattr(site_from(table, "santa-fe"), place) is not None


@pytest.mark.parametrize(
    ("approvals", "given_by", "enough"),
    [
        (Approvals(any_of=("police_liaison", "program_manager")), {"program_manager"}, True),
        (Approvals(any_of=("police_liaison", "program_manager")), {"prosecutor"}, False),
        (Approvals(all_of=("prosecutor", "program_manager")), {"prosecutor"}, False),
        (Approvals(all_of=("prosecutor", "program_manager")), {"prosecutor", "program_manager"}, True),
        (Approvals(), {"prosecutor"}, False),
    ],
)
def test_approvals_are_one_of_some_or_all_of_them(approvals: Approvals, given_by: set[str], enough: bool) -> None:
    assert approvals.satisfied_by(given_by) is enough


@pytest.mark.parametrize(
    ("given_level", "word"),
    [
        ("GM", "GROSS_MISDEMEANOR"),
        ("gross misdemeanour", "GROSS_MISDEMEANOR"),
        ("Felony-B", "FELONY_B"),
        ("petty misdemeanor", "PETTY_MISDEMEANOR"),
        ("tort", None),
        ("", None),
    ],
)
def test_levels_are_read_in_many_spellings(given_level: str, word: str | None) -> None:
    assert level_word(given_level) == word


@pytest.mark.parametrize(
    ("citation", "split"),
    [
        ("SMC 12A.08.040", ("SMC", "12A.08.040")),
        ("NMSA 1978 § 30-31-23 (A)", ("NMSA", "30-31-23(A)")),
        ("9A.36.011", ("", "9A.36.011")),
        ("", ("", "")),
    ],
)
def test_citations_split_into_book_and_number(citation: str, split: tuple[str, str]) -> None:
    assert split_statute(citation) == split


def test_roles_are_those_of_the_contract() -> None:
    spelled = {value.name.removeprefix("ROLE_").lower() for value in words_pb2.Role.DESCRIPTOR.values}
    assert set(get_args(Role)) == spelled - {"unspecified"}


def test_policies_began_before_they_are_used() -> None:
    for site in load_sites(site_packs()).values():
        assert site.policy.effective_from <= date(2024, 1, 1)
        assert site.policy.effective_to is None
