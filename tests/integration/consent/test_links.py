"""Subjects are linked to a participant by a person who confirmed it; releases cover what is linked, nothing else."""

from __future__ import annotations

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as internal

from services.consent import epochs, store
from services.consent.epochs import Change
from services.shared.errors import LeadError
from tests.integration.consent.desk import CASE_MANAGER, CONTEXT, Office, a_question, a_release, serving
from tests.unit.consent.builders import OTHER_SUBJECT, PARTICIPANT, SUBJECT

OTHER_PARTICIPANT = "par_0198c1e2-0000-7000-8000-00000000000f"
STATUS = {"PROGRAM_STATUS", "SUD_PRESENCE"}


def seen_of(office: Office, subject: str) -> set[str]:
    return office.seen("prosecutor", "prosecutor", "DIVERSION_COORD", subject=subject)


def granted(office: Office, role: str, agency: str, purpose: str) -> list[str]:
    request = internal.ListGrantedSubjectsRequest(asker=a_question(role, agency, purpose).asker)
    with serving("referral"):
        return list(office.internal.ListGrantedSubjects(request, CONTEXT).subject_ids)


def test_a_release_covers_a_subject_from_its_link_on(office: Office) -> None:
    office.create(CASE_MANAGER, a_release())
    assert seen_of(office, SUBJECT) == STATUS
    assert seen_of(office, OTHER_SUBJECT) == set()
    office.link(OTHER_SUBJECT)
    assert seen_of(office, OTHER_SUBJECT) == STATUS


def test_a_revocation_covers_every_subject_at_once(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    office.link(OTHER_SUBJECT)
    office.revoke(CASE_MANAGER, taken.id)
    assert seen_of(office, SUBJECT) == seen_of(office, OTHER_SUBJECT) == set()
    with office.desk.db.read() as connection:
        newest = epochs.since(connection, epochs.current(connection) - 1)
    assert [set(one.subject_ids) for one in newest] == [{SUBJECT, OTHER_SUBJECT}]


def test_a_link_that_stands_is_kept(office: Office) -> None:
    """Moving a subject to somebody else is an unmerge, which a person confirms; it never happens by the way."""
    office.create(CASE_MANAGER, a_release())
    with office.desk.db.read() as connection:
        before = epochs.current(connection)
    office.link(SUBJECT, participant=OTHER_PARTICIPANT)
    office.link(SUBJECT)
    assert seen_of(office, SUBJECT) == STATUS
    with office.desk.db.read() as connection:
        assert store.participants_of(connection, [SUBJECT]) == {SUBJECT: PARTICIPANT}
        assert epochs.since(connection, before) == []


def test_a_fresh_link_is_a_change_for_its_subject_alone(office: Office) -> None:
    with office.desk.db.read() as connection:
        before = epochs.current(connection)
    epoch = office.link(SUBJECT, OTHER_SUBJECT)
    with office.desk.db.read() as connection:
        assert epochs.since(connection, before) == [Change(epoch, (OTHER_SUBJECT,), everything=False)]


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"participant_id": "nobody"}, ["participantId"]),
        ({"subject_ids": [SUBJECT, "sub_1"]}, ["subjectIds[1]"]),
        ({"participant_id": "", "confirmed_by": "", "subject_ids": [""]}, ["participantId", "subjectIds[0]"]),
    ],
)
def test_a_link_to_nobody_or_of_nobody_is_refused(office: Office, changes: dict[str, object], paths: list[str]) -> None:
    fields = {"participant_id": PARTICIPANT, "subject_ids": [OTHER_SUBJECT], "confirmed_by": "acc_case", **changes}
    with serving("casework"), pytest.raises(LeadError) as refused:
        office.internal.LinkSubjects(internal.LinkSubjectsRequest(**fields), CONTEXT)  # type: ignore[arg-type]
    assert [one.path for one in refused.value.violations] == paths
    assert seen_of(office, OTHER_SUBJECT) == set()


def test_an_area_may_look_for_the_subjects_of_those_who_named_the_agency(office: Office) -> None:
    office.link(OTHER_SUBJECT)
    assert granted(office, "prosecutor", "prosecutor", "DIVERSION_COORD") == []
    office.create(CASE_MANAGER, a_release())
    assert granted(office, "prosecutor", "prosecutor", "DIVERSION_COORD") == [SUBJECT, OTHER_SUBJECT]
    assert granted(office, "prosecutor", "other-prosecutor", "DIVERSION_COORD") == []


def test_an_area_may_look_for_the_participants_own_subjects(office: Office) -> None:
    assert granted(office, "participant", "", "PATRQT") == [SUBJECT]


def test_the_person_sees_his_own_by_his_link(office: Office) -> None:
    assert "CHARGE" in office.seen("participant", "", "PATRQT", "police")
    assert office.seen("participant", "", "PATRQT", "police", subject=OTHER_SUBJECT) == set()
