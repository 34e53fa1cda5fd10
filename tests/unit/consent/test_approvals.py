"""Row 36, the evaluator's registered approval, and row 41, matching under the operator's service agreement."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.consent.decide import LONGEST, Asker
from services.consent.held import Held
from services.consent.registry import Agreement, Registry
from services.shared.sharing.need import BITS
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    AGENCIES,
    DAY,
    OTHER_SUBJECT,
    OUTSIDER,
    a_consent,
    a_qsoa,
    a_registry,
    about,
    an_agreement,
    an_approval,
    an_asker,
    decided,
    seen,
)

EVALUATOR = an_asker("evaluator", "HRESCH")
LINKER = Asker("linker", "", "HOPERAT")
# What a justice event's subject is: no fact, no participant.
UNKNOWN = Held(OTHER_SUBJECT)
ROWS = {"LINKED_RESEARCH"}
MATCHED = {"IDENTITY", "SUD_PRESENCE"}


def approved(*approvals: Agreement, **changes: object) -> Registry:
    return a_registry(an_agreement(), *approvals) if approvals else a_registry(an_agreement(), an_approval(**changes))


def test_an_approval_opens_pseudonymous_rows_and_nothing_else() -> None:
    assert seen(EVALUATOR, UNKNOWN, "jail", "jev_1") == set()
    assert seen(EVALUATOR, UNKNOWN, "jail", "jev_1", registry=approved()) == ROWS


def test_a_ruling_names_the_approval_that_it_rests_on() -> None:
    rulings = decided(EVALUATOR, UNKNOWN, "jail", registry=approved()).rulings
    [ruling] = [one for one in rulings if one.rule == "approval"]
    assert (ruling.row, ruling.approval_id, ruling.consent) == (36, "agr-research", None)
    assert not [one for one in rulings if one.approval_id and one.rule != "approval"]


@pytest.mark.parametrize(
    "approval",
    [
        an_approval(until_at=NOON),
        an_approval(from_at=NOON + DAY),
        an_approval(agency_ids=frozenset({"auditor"})),
        an_approval(type="AUDIT_APPROVAL"),
        an_approval(site_ids=("south",)),
    ],
    ids=["ended", "not begun", "of another agency", "of another type", "of another site"],
)
def test_an_approval_that_does_not_serve_opens_nothing(approval: Agreement) -> None:
    assert seen(EVALUATOR, UNKNOWN, "jail", registry=approved(approval)) == set()


def test_an_approval_without_sites_holds_for_those_of_its_agencies() -> None:
    far = replace(OUTSIDER, agency_id="far-jail", kind="jail")
    everybody = an_agreement(*AGENCIES, far.agency_id)
    registry = a_registry(everybody, an_approval())
    registry = replace(registry, agencies={**registry.agencies, far.agency_id: far})
    assert seen(EVALUATOR, UNKNOWN, "police", registry=registry) == ROWS
    assert seen(EVALUATOR, UNKNOWN, far.agency_id, registry=registry) == set()
    both = replace(registry, agreements=(everybody, an_approval(site_ids=("north", "south"))))
    assert seen(EVALUATOR, UNKNOWN, far.agency_id, registry=both) == ROWS


def test_an_approval_opens_nothing_of_an_agency_that_does_not_take_part() -> None:
    registry = a_registry(an_agreement("evaluator", "police"), an_approval())
    assert seen(EVALUATOR, UNKNOWN, "jail", registry=registry) == set()


def test_a_decision_never_outlives_the_approval_that_it_rests_on() -> None:
    soon = NOON + timedelta(seconds=20)
    assert decided(EVALUATOR, UNKNOWN, "jail", registry=approved(until_at=soon)).until == soon
    longer = approved(an_approval(until_at=soon), an_approval(agreement_id="agr-2", until_at=NOON + DAY))
    decision = decided(EVALUATOR, UNKNOWN, "jail", registry=longer)
    assert decision.until == NOON + LONGEST
    assert {one.approval_id for one in decision.rulings} == {"", "agr-2"}


def test_an_approval_widens_for_nobody_else() -> None:
    for agency in set(AGENCIES) - {"evaluator"}:
        named = an_approval(agency_ids=frozenset(AGENCIES))
        asker = an_asker(agency, "DIVERSION_COORD" if agency in ("police", "prosecutor") else "CAREMGT")
        for source in ("jail", "outreach", "treatment"):
            plain = decided(asker, UNKNOWN, source, registry=a_registry()).visible
            assert decided(asker, UNKNOWN, source, registry=approved(named)).visible == plain


def test_the_linker_matches_what_takes_part_with_the_operator() -> None:
    assert seen(LINKER, UNKNOWN, "jail", "jev_1") == MATCHED
    assert seen(LINKER, UNKNOWN, "outsider") == set()
    assert seen(LINKER, UNKNOWN, "jail", registry=a_registry(an_agreement("jail", "police"))) == set()
    assert seen(LINKER, UNKNOWN, "") == set()


def test_the_linker_needs_a_service_agreement_with_a_part_2_program() -> None:
    """42 CFR 2.11, 2.12(c)(4): a qualified service organization has a written agreement with the program."""
    assert seen(LINKER, UNKNOWN, "recovery") == seen(LINKER, UNKNOWN, "unasked") == set()
    registry = a_registry(an_agreement(), a_qsoa("recovery"))
    assert seen(LINKER, UNKNOWN, "recovery", registry=registry) == MATCHED
    assert seen(LINKER, UNKNOWN, "treatment", registry=registry) == set()
    lapsed = a_registry(an_agreement(), a_qsoa("recovery", until_at=NOON))
    assert seen(LINKER, UNKNOWN, "recovery", registry=lapsed) == set()


def test_the_linkers_use_ends_with_either_paper() -> None:
    soon, later = NOON + timedelta(seconds=10), NOON + timedelta(seconds=30)
    registry = a_registry(an_agreement(until_at=later), a_qsoa("recovery", until_at=soon))
    assert decided(LINKER, UNKNOWN, "recovery", registry=registry).until == soon
    assert decided(LINKER, UNKNOWN, "police", registry=registry).until == later


def test_the_linker_sees_no_more_for_a_release_or_another_purpose() -> None:
    held = about(a_consent(recipient_agency_ids=tuple(AGENCIES), purposes=("HOPERAT", "CAREMGT")))
    assert seen(LINKER, held, "police") == MATCHED
    assert not decided(replace(LINKER, purpose="CAREMGT"), held, "police").visible & BITS["IDENTITY"]
