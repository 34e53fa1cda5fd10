"""Whether an evaluator is approved is asked, each time, of the one decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from lead.consent.v1.consent_internal_service_pb2 import (
    ReadRegistryResponse,
    RegisteredAgency,
    ReleaseKeysResponse,
    SealingLease,
    SealingNeed,
)
from lead.options.v1 import words_pb2

from services.outcomes.approvals import Approvals
from services.shared.errors import LeadError
from services.shared.events.keys import SealedKeys
from services.shared.ids import Ids
from tests.support.keys import FakeConsent

_RESEARCH = words_pb2.CATEGORY_LINKED_RESEARCH


class Keys:
    """Consent's keys, with the approval that the real one names."""

    def __init__(self) -> None:
        self.consent = FakeConsent()
        self.leased: list[SealingNeed] = []

    def lease(self, needs: Sequence[SealingNeed]) -> Sequence[SealingLease]:
        self.leased += needs
        return self.consent.sealing("outcomes").lease(needs)

    def release(self, events: Sequence[SealedKeys]) -> ReleaseKeysResponse:
        answer = self.consent.release(events)
        for event in answer.events:
            for section in event.sections:
                section.approval_id = "sample-approval"
        return answer


def _registry(*kinds: tuple[str, words_pb2.AgencyKind.ValueType]) -> ReadRegistryResponse:
    agencies = [RegisteredAgency(agency_id=name, kind=kind, site_ids=["seattle"]) for name, kind in kinds]
    return ReadRegistryResponse(agencies=agencies)


@pytest.fixture
def keys() -> Keys:
    return Keys()


def _approvals(keys: Keys, *kinds: Any) -> Approvals:
    offices = kinds or (("sample-office", words_pb2.AGENCY_KIND_PROGRAM_OFFICE),)
    return Approvals(keys, lambda: _registry(*offices), Ids())


def test_nobody_is_approved_before_the_decision_says_so(keys: Keys) -> None:
    assert _approvals(keys).current("seattle") == {}


def test_the_agencies_that_a_section_is_opened_for_are_approved(keys: Keys) -> None:
    keys.consent.allow(_RESEARCH, "sample-evaluator", "sample-second-evaluator")
    wished = dict.fromkeys(("sample-evaluator", "sample-second-evaluator"), "sample-approval")
    assert _approvals(keys).current("seattle") == wished


def test_an_approval_that_ended_is_gone_at_once(keys: Keys) -> None:
    approvals = _approvals(keys)
    keys.consent.allow(_RESEARCH, "sample-evaluator")
    assert approvals.current("seattle")
    keys.consent.deny(_RESEARCH)
    assert approvals.current("seattle") == {}


def test_one_key_about_nobody_serves_for_all_questions(keys: Keys) -> None:
    approvals = _approvals(keys)
    for _ in range(3):
        approvals.current("seattle")
    (need,) = keys.leased
    assert (need.source_agency_id, [each.category for each in need.sections]) == ("sample-office", [_RESEARCH])


def test_a_site_without_a_programme_office_has_no_approval(keys: Keys) -> None:
    keys.consent.allow(_RESEARCH, "sample-evaluator")
    assert _approvals(keys).current("santa-fe") == {}
    assert keys.leased == []


def test_without_consent_there_is_no_answer(keys: Keys) -> None:
    keys.consent.is_away = True
    with pytest.raises(LeadError):
        _approvals(keys).current("seattle")
