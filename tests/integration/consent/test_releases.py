"""Giving a release, listing, taking it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from lead.audit.v1 import audit_pb2
from lead.consent.v1 import consent_pb2 as wire
from lead.consent.v1 import consent_service_pb2 as pb

from services.consent.domain import Draft
from services.shared.errors import Code, LeadError
from tests.integration.consent.desk import (
    CASE_MANAGER,
    CONTEXT,
    OTHER_CASE_MANAGER,
    PERSON,
    Office,
    a_release,
    a_statement,
    an_office,
    asking,
)
from tests.support.clock import NOON, FakeClock
from tests.unit.consent.builders import OTHER_SUBJECT, PARTICIPANT, SUBJECT

OTHER_PARTICIPANT = "par_0198c1e2-0000-7000-8000-00000000000f"
ABSENT = "con_0198c1e2-0000-7000-8000-00000000000e"
STATUS = {"PROGRAM_STATUS", "SUD_PRESENCE"}


def prosecutor_sees(office: Office) -> set[str]:
    return office.seen("prosecutor", "prosecutor", "DIVERSION_COORD")


def test_a_release_is_effective_when_it_is_answered(office: Office) -> None:
    assert prosecutor_sees(office) == set()
    taken = office.create(CASE_MANAGER, a_release())
    assert taken.id.startswith("con_")
    assert (taken.version, taken.state, taken.rule_version) == (1, wire.CONSENT_STATE_ACTIVE, "2024")
    assert (taken.reference.source_agency_id, taken.reference.subject_id) == ("outreach", SUBJECT)
    assert prosecutor_sees(office) == STATUS


def test_a_release_is_read_back_as_it_was_signed(office: Office) -> None:
    draft = a_release(expire_event="the case is closed")
    taken = office.create(CASE_MANAGER, draft)
    [listed] = office.listed(CASE_MANAGER)
    assert listed == taken
    assert listed.signed_time.ToDatetime(UTC) == draft.signed_at
    assert listed.expire_event == "the case is closed"


@pytest.mark.parametrize("caller", [OTHER_CASE_MANAGER, replace(PERSON, participant_id=OTHER_PARTICIPANT)])
def test_out_of_reach_a_release_is_neither_taken_nor_stopped(office: Office, caller: object) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    with pytest.raises(LeadError) as creating:
        office.create(caller, a_release())  # type: ignore[arg-type]
    with pytest.raises(LeadError) as revoking:
        office.revoke(caller, taken.id)  # type: ignore[arg-type]
    with pytest.raises(LeadError) as absent:
        office.revoke(CASE_MANAGER, ABSENT)
    assert {str(one.value) for one in (creating, revoking)} == {str(absent.value)}
    assert prosecutor_sees(office) == STATUS


def test_reach_is_looked_at_before_what_is_missing(office: Office) -> None:
    with pytest.raises(LeadError) as refused:
        office.create(OTHER_CASE_MANAGER, Draft())
    assert refused.value.code is Code.NOT_FOUND


def test_the_person_gives_and_takes_back_his_own(office: Office) -> None:
    taken = office.create(PERSON, a_release())
    assert (taken.taken_by_agency_id, taken.reference.source_agency_id) == ("", "")
    assert prosecutor_sees(office) == STATUS
    assert office.revoke(PERSON, taken.id).consent.state == wire.CONSENT_STATE_REVOKED
    assert prosecutor_sees(office) == set()


def test_a_release_with_missing_elements_is_refused_with_all_of_them_and_stored_by_no_means(office: Office) -> None:
    """42 CFR 2.31(a)."""
    with pytest.raises(LeadError) as refused:
        office.create(CASE_MANAGER, Draft())
    error = refused.value
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "CONSENT_ELEMENTS_MISSING")
    named = [one.wish.split(",")[0] for one in error.violations]
    assert named == ["P2-11", "P2-12", "P2-13", "P2-16", "P2-17", "P2-18", "P2-19", "P2-20", "P2-42"]
    assert all("42 CFR 2.3" in one.wish for one in error.violations)
    assert office.listed(CASE_MANAGER) == []


def test_a_refusal_echoes_no_value(office: Office) -> None:
    with pytest.raises(LeadError) as refused:
        office.create(CASE_MANAGER, a_release(source_agency_ids=("canary-source",), expire_event="canary", type=""))
    assert "canary" not in f"{refused.value} {refused.value.violations}"


def test_each_sees_the_releases_that_are_his_to_know(office: Office) -> None:
    """Row 31."""
    office.create(CASE_MANAGER, a_release(recipient_agency_ids=("prosecutor", "clinic")))
    office.create(CASE_MANAGER, a_release(recipient_agency_ids=("recovery",)))
    recipients = [list(one.recipient_agency_ids) for one in office.listed(CASE_MANAGER)]
    assert recipients == [["prosecutor", "clinic"], ["recovery"]]
    assert [list(one.recipient_agency_ids) for one in office.listed(PERSON)] == recipients
    assert [list(one.recipient_agency_ids) for one in office.listed(OTHER_CASE_MANAGER)] == [["recovery"]]
    clinic = replace(OTHER_CASE_MANAGER, agency_id="clinic", agency_kind="health_care")
    assert [list(one.recipient_agency_ids) for one in office.listed(clinic)] == [["clinic"]]
    assert office.listed(replace(PERSON, participant_id=OTHER_PARTICIPANT)) == []
    assert office.listed(replace(OTHER_CASE_MANAGER, agency_id="unasked")) == []


def paged(office: Office, size: int, token: str = "") -> pb.ListConsentsResponse:
    request = pb.ListConsentsRequest(participant_id=PARTICIPANT, page_size=size, page_token=token)
    with asking(CASE_MANAGER):
        return office.public.ListConsents(request, CONTEXT)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 500])
def test_a_list_comes_in_pages_of_the_asked_size_without_gaps_or_repeats(office: Office, size: int) -> None:
    taken = [office.create(CASE_MANAGER, a_release()).id for _ in range(5)]
    found: list[str] = []
    token = ""
    while True:
        page = paged(office, size, token)
        assert len(page.consents) == min(size, 5 - len(found))
        found += [one.id for one in page.consents]
        token = page.next_page_token
        if not token:
            break
    assert found == taken


def test_a_page_goes_on_where_it_ended_though_releases_have_come_meanwhile(office: Office) -> None:
    taken = [office.create(CASE_MANAGER, a_release()).id for _ in range(3)]
    first = paged(office, 2)
    taken.append(office.create(CASE_MANAGER, a_release()).id)
    second = paged(office, 10, first.next_page_token)
    assert [one.id for one in (*first.consents, *second.consents)] == taken


@pytest.mark.parametrize("token", ["nonsense", "Y29uX25vYm9keQ", "é"])
def test_a_page_token_that_no_list_gave_is_refused(office: Office, token: str) -> None:
    with pytest.raises(LeadError) as refused:
        paged(office, 2, token)
    assert [one.path for one in refused.value.violations] == ["pageToken"]


def test_a_repeated_call_gives_the_release_that_it_made(office: Office) -> None:
    first = office.create(CASE_MANAGER, a_release(), key="once")
    assert office.create(CASE_MANAGER, a_release(), key="once") == first
    assert len(office.listed(CASE_MANAGER)) == 1
    with pytest.raises(LeadError) as refused:
        office.create(CASE_MANAGER, a_release(categories=("NEEDS",)), key="once")
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


def test_a_repeated_call_tells_what_has_become_of_the_release(office: Office) -> None:
    first = office.create(CASE_MANAGER, a_release(), key="once")
    office.revoke(CASE_MANAGER, first.id)
    assert office.create(CASE_MANAGER, a_release(), key="once").state == wire.CONSENT_STATE_REVOKED


def test_the_keys_of_two_people_have_nothing_to_do_with_each_other(office: Office) -> None:
    office.link(OTHER_SUBJECT, participant=OTHER_PARTICIPANT)
    other = replace(PERSON, participant_id=OTHER_PARTICIPANT, account_id="acc_p2")
    mine = office.create(PERSON, a_release(), key="1")
    theirs = office.create(other, a_release(categories=("NEEDS",)), OTHER_PARTICIPANT, key="1")
    assert mine.id != theirs.id


def test_a_revocation_is_a_version_of_its_own_and_on_its_way_to_the_ledger(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    office.clock.advance(60)
    answer = office.revoke(CASE_MANAGER, taken.id, ["prosecutor"], ["SUD_PRESENCE"])
    [revocation] = answer.consent.revocations
    assert (answer.consent.version, list(revocation.recipient_agency_ids)) == (2, ["prosecutor"])
    assert revocation.effective_time.ToDatetime(UTC) == NOON + timedelta(seconds=60)
    assert prosecutor_sees(office) == {"PROGRAM_STATUS"}
    [entry] = office.spooled()
    assert (entry.kind, entry.agency_id) == (audit_pb2.ENTRY_KIND_REVOCATION, "outreach")
    assert (entry.bases[0].consent_id, entry.bases[0].consent_version) == (taken.id, 2)
    assert entry.entry_key == f"revoked/{taken.id}/2"


def test_revocations_add_up_and_nothing_brings_back_what_was_taken(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    office.revoke(CASE_MANAGER, taken.id)
    office.revoke(CASE_MANAGER, taken.id, categories=["NEEDS"])
    assert [one.version for one in office.listed(CASE_MANAGER)] == [3]
    assert prosecutor_sees(office) == set()
    again = an_office(Path(str(office.desk.db.engine.url.database)).parent, FakeClock())
    assert prosecutor_sees(again) == set()
    again.desk.db.engine.dispose()


def test_whose_caseload_it_is_may_stop_what_another_agency_took(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    office.state(a_statement("CASELOAD", "recovery", record=PARTICIPANT), service="casework")
    office.revoke(OTHER_CASE_MANAGER, taken.id)
    assert prosecutor_sees(office) == set()


def test_who_is_only_named_in_a_release_cannot_stop_it(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release(recipient_agency_ids=("recovery", "prosecutor")))
    with pytest.raises(LeadError) as refused:
        office.revoke(OTHER_CASE_MANAGER, taken.id)
    assert refused.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("number", [0, 99])
def test_a_revocation_of_an_unknown_category_is_refused(office: Office, number: int) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    request = pb.RevokeConsentRequest(id=taken.id)
    request.MergeFromString(bytes([26, 2, 1, number]))
    with asking(CASE_MANAGER), pytest.raises(LeadError) as refused:
        office.public.RevokeConsent(request, CONTEXT)
    assert [one.path for one in refused.value.violations] == ["categories[1]"]
    assert prosecutor_sees(office) == STATUS


def test_a_revocation_for_an_agency_that_is_not_named_is_refused_and_stops_nothing_by_mistake(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    with pytest.raises(LeadError) as refused:
        office.revoke(CASE_MANAGER, taken.id, ["prosecutor", "prosecuter"])
    assert [one.path for one in refused.value.violations] == ["recipientAgencyIds[1]"]
    assert prosecutor_sees(office) == STATUS


def test_a_release_on_condition_of_a_disposition_is_taken_only_where_the_site_allows_it(tmp_path: Path) -> None:
    """42 CFR 2.35 (P2-84)."""
    allows = an_office(tmp_path, cj_referral_enabled=True)
    assert allows.create(CASE_MANAGER, a_release(type="CJ_REFERRAL")).type == wire.CONSENT_TYPE_CJ_REFERRAL
    allows.desk.db.engine.dispose()
