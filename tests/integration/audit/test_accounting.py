from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead.audit.v1 import audit_service_pb2 as pb
from lead.audit.v1.audit_pb2 import ENTRY_KIND_KEY_RELEASE, Disclosure
from lead.options.v1.words_pb2 import (
    CATEGORY_CHARGE,
    CATEGORY_PROGRAM_STATUS,
    PURPOSE_DIVERSION_COORD,
    ROLE_PARTICIPANT,
    ROLE_PROSECUTOR,
)

from services.audit import handlers
from services.audit.handlers import Desk
from services.audit.servicer import AuditServicer
from services.shared.errors import Code, LeadError
from services.shared.rpc.caller import RequestInfo, acting
from tests.integration.audit.desk import (
    OTHER_SUBJECT,
    PARTICIPANT,
    SUBJECT,
    a_basis,
    a_desk,
    a_disclosure,
    a_draft,
    an_access,
    the_participant,
)
from tests.support.clock import NOON

NONE: Any = None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path) as desk:
        yield desk


def listed(desk: Desk, participant_id: str = PARTICIPANT, page_size: int = 0) -> list[Disclosure]:
    """All lines, page by page."""
    lines: list[Disclosure] = []
    token = None
    while token is None or token:
        request = pb.ListDisclosuresRequest(participant_id=participant_id, page_size=page_size, page_token=token)
        with acting(the_participant(), RequestInfo("req", "gateway")):
            answer = AuditServicer(desk).ListDisclosures(request, NONE)
        assert len(answer.disclosures) <= (page_size or 50)
        lines += answer.disclosures
        token = answer.next_page_token
    return lines


def test_a_line_says_who_received_what_of_whom_why_and_on_which_basis(desk: Desk) -> None:
    draft = a_disclosure("a", bases=0)
    draft.bases.append(a_basis(categories=1 << CATEGORY_PROGRAM_STATUS | 1 << CATEGORY_CHARGE))
    handlers.append(desk, "gateway", [an_access("b"), draft])
    [line] = listed(desk)
    assert line.reference.subject_id == SUBJECT
    assert not line.reference.source_agency_id
    assert not line.reference.record_id
    assert line.time.ToDatetime(tzinfo=NOON.tzinfo) == NOON
    assert (line.recipient_agency_id, line.recipient_role) == ("prosecutor-north", ROLE_PROSECUTOR)
    assert line.purpose == PURPOSE_DIVERSION_COORD
    assert line.source_agency_id == "case-management-north"
    assert list(line.categories) == [CATEGORY_CHARGE, CATEGORY_PROGRAM_STATUS]
    assert (line.basis.rule, line.basis.law) == ("row 15, consent", "42 CFR 2.31")
    assert (line.basis.consent_id, line.basis.consent_version) == ("con_1", 2)
    assert (line.request_id, line.entry) == ("req-1", 1)


def test_a_basis_without_a_consent_names_none(desk: Desk) -> None:
    draft = a_disclosure("a", bases=0)
    draft.bases.append(a_basis(row=4, rule="allow", consent_id="", consent_version=0))
    handlers.append(desk, "gateway", [draft])
    [line] = listed(desk)
    assert line.basis.rule == "row 4, allow"
    assert not line.basis.HasField("consent_id")
    assert not line.basis.HasField("consent_version")


def test_what_was_disclosed_of_one_source_on_one_basis_is_one_line(desk: Desk) -> None:
    draft = a_disclosure("a", bases=0)
    draft.bases.extend([a_basis(categories=1 << 1), a_basis(categories=1 << 6), a_basis(row=4, categories=1 << 6)])
    handlers.append(desk, "gateway", [draft])
    assert [list(line.categories) for line in listed(desk)] == [[1, 6], [6]]


def test_lines_come_newest_first_whatever_their_subject(tmp_path: Path) -> None:
    with a_desk(tmp_path, granted=lambda _: frozenset({SUBJECT, OTHER_SUBJECT})) as desk:
        times = [NOON + timedelta(hours=number) for number in range(4)]
        subjects = [SUBJECT, OTHER_SUBJECT, SUBJECT, OTHER_SUBJECT]
        drafts = [a_disclosure(f"{at}", subject, at=at) for at, subject in zip(times, subjects, strict=True)]
        handlers.append(desk, "gateway", drafts)
        assert [line.entry for line in listed(desk)] == [3, 2, 1, 0]
        assert [line.reference.subject_id for line in listed(desk)] == subjects[::-1]


def test_only_releases_to_agencies_about_linked_subjects_are_accounted_for(desk: Desk) -> None:
    himself = a_disclosure("d", agency_id="", role=ROLE_PARTICIPANT)
    custody = a_draft(ENTRY_KIND_KEY_RELEASE, "c")
    others = [a_disclosure("a", OTHER_SUBJECT), an_access("b"), custody, himself]
    handlers.append(desk, "gateway", others)
    assert listed(desk) == []


@pytest.mark.parametrize("asked", ["par_0198c1e2-0000-7000-8000-00000000ffff", ""])
def test_nobody_sees_the_accounting_of_another(desk: Desk, asked: str) -> None:
    handlers.append(desk, "gateway", [a_disclosure("a")])
    with pytest.raises(LeadError) as refused:
        listed(desk, asked)
    assert refused.value.code is Code.NOT_FOUND


def test_an_unreachable_consent_means_no_accounting(tmp_path: Path) -> None:
    def away(_: object) -> frozenset[str]:
        raise LeadError(Code.UNAVAILABLE, "UNAVAILABLE", "away")

    with a_desk(tmp_path, granted=away) as desk, pytest.raises(LeadError) as refused:
        listed(desk)
    assert refused.value.code is Code.UNAVAILABLE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(bases=st.lists(st.integers(1, 4), min_size=1, max_size=8), page_size=st.integers(1, 7))
def test_pages_of_any_size_hold_every_line_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, bases: list[int], page_size: int
) -> None:
    with a_desk(tmp_path_factory.mktemp("desk")) as desk:
        handlers.append(desk, "gateway", [a_disclosure(f"{n}", bases=count) for n, count in enumerate(bases)])
        lines = listed(desk, page_size=page_size)
        assert lines == listed(desk, page_size=500)
        assert len(lines) == sum(bases)
        assert all(one.entry >= other.entry for one, other in pairwise(lines))


@pytest.mark.parametrize(("name", "value"), [("page_size", 501), ("page_size", -1), ("page_token", "not one of ours")])
def test_a_page_that_nobody_was_promised_is_refused(desk: Desk, name: str, value: object) -> None:
    request = pb.ListDisclosuresRequest(participant_id=PARTICIPANT)
    setattr(request, name, value)
    with acting(the_participant(), RequestInfo("req", "gateway")), pytest.raises(LeadError) as refused:
        AuditServicer(desk).ListDisclosures(request, NONE)
    assert refused.value.code is Code.INVALID_ARGUMENT
