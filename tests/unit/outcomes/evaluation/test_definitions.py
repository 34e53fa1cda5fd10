from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from services.outcomes.evaluation.canonical import sha256
from services.outcomes.evaluation.definitions import EVENTS, HEADLINE, EventDefinition
from services.outcomes.evaluation.populations import POPULATIONS, PopulationDefinition
from services.outcomes.evaluation.windows import SIX_MONTHS, TWO_YEARS
from services.outcomes.evaluation.wording import NO_COMPARISON, REFERENCE, REFERENCE_LABEL
from tests.unit.outcomes.evaluation.builders import AS_OF, a_person, at, inputs, reported

DEFINITIONS: tuple[EventDefinition | PopulationDefinition, ...] = (*EVENTS.values(), *POPULATIONS.values())

# Whoever changes a definition makes a new version, and writes its hash here beside the old one.
FROZEN = {
    "ARR_ALL": (1, "778aee15baa31b9d"),
    "ARR_NONWARRANT": (1, "63f7b2d8edb0d171"),
    "ARR_NEWCONDUCT": (1, "a4ca129cb30463d1"),
    "ARR_OR_DIVERTED": (1, "9d1c8758f8540487"),
    "CHG_FELONY": (1, "51d468f9723fe53f"),
    "CHG_MISD": (1, "274c8e72948d6aa5"),
    "ITT": (1, "db755dd366675895"),
    "LANDMARK": (1, "bcbf1014dd74afbf"),
    "COMPLETERS": (1, "6a39f1422fa127b6"),
}


def test_all_definitions_of_the_reference_are_there_each_with_its_reason() -> None:
    assert set(EVENTS) == {"ARR_ALL", "ARR_NONWARRANT", "ARR_NEWCONDUCT", "ARR_OR_DIVERTED", "CHG_FELONY", "CHG_MISD"}
    assert set(POPULATIONS) == {"ITT", "LANDMARK", "COMPLETERS"}
    assert HEADLINE == "ARR_OR_DIVERTED"
    assert all(each.reason and each.rule for each in DEFINITIONS)
    assert {each.link_threshold for each in EVENTS.values()} == {0.95}


def test_definitions_do_not_change_under_their_version() -> None:
    now = {each.id: (each.version, each.sha256[:16]) for each in DEFINITIONS}
    assert now == FROZEN


def test_a_definition_cannot_be_changed_in_place_and_any_change_changes_its_hash() -> None:
    definition = EVENTS["ARR_ALL"]
    with pytest.raises(FrozenInstanceError):
        definition.link_threshold = 0.5  # type: ignore[misc]
    for changed in (
        {"link_threshold": 0.9}, {"version": 2}, {"basis": "NEW_CONDUCT"}, {"kinds": ()}, {"reason": "another"},
        {"frozen_on": definition.frozen_on + timedelta(days=1)},
    ):  # fmt: skip
        assert replace(definition, **changed).sha256 != definition.sha256
    assert replace(definition).sha256 == definition.sha256


def test_a_report_carries_what_must_be_known_to_read_it() -> None:
    report = reported(inputs([a_person(1)], []), "ARR_NONWARRANT", population="LANDMARK", window="24m")
    assert (report.definition_id, report.definition_version) == ("ARR_NONWARRANT", 1)
    assert (report.population, report.window_id, report.as_of) == ("LANDMARK", "24m", AS_OF)
    assert report.link_threshold == 0.95
    assert report.t0_rules == (("ARREST_DIVERSION", "time of the index arrest or detention"),)
    assert report.observed[0].agencies == ("spd",)
    assert not report.public
    assert len(report.sha256) == 64
    assert report.sha256 != reported(inputs([a_person(1)], []), "ARR_NONWARRANT", population="LANDMARK").sha256


def test_a_definition_frozen_after_the_as_of_date_is_exploratory() -> None:
    given = inputs([a_person(1)], [])
    assert reported(given).prespecified
    late = reported(given, as_of=at("2026-10-31"))
    assert not late.prespecified
    assert any("exploratory" in each for each in late.notes)


def test_the_published_reference_stands_in_exactly_these_words() -> None:
    report = reported(inputs([a_person(1)], []))
    assert report.reference_label == REFERENCE_LABEL == "Published reference"
    assert report.reference == REFERENCE
    for fact in (
        "203 LEAD and 115 comparison people", "non-randomised", "two years before the programme's start to July 2014",
        "60% lower odds of arrest at 6 months", "58% lower odds of arrest", "39% lower odds of a felony charge",
        "no significant effect on non-warrant arrests", "Odds, not risk", "no published 24-month counterpart",
    ):  # fmt: skip
        assert fact in REFERENCE
    assert NO_COMPARISON == "No comparison group: this is not an effect."


def test_a_hash_is_of_what_is_defined_and_not_of_how_it_is_written() -> None:
    assert sha256(SIX_MONTHS) == hashlib.sha256(b'[{"end":null,"id":"6m","months":6,"start":null}]').hexdigest()
    assert sha256(SIX_MONTHS) != sha256(TWO_YEARS) != sha256(SIX_MONTHS, TWO_YEARS)


def test_what_computes_is_only_imported_with_the_first_report() -> None:
    code = (
        "import json, sys, services.outcomes.evaluation as e;"
        "import services.outcomes.evaluation.definitions, services.outcomes.evaluation.report;"
        "print(json.dumps([m for m in ('polars', 'numpy', 'pandas', 'lifelines', 'statsmodels') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == []
