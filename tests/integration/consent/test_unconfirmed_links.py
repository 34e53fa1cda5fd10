"""Links that a rule found: they withhold and open nothing, until somebody confirms them."""

from __future__ import annotations

from lead.consent.v1 import consent_internal_service_pb2 as internal

from services.consent import epochs, store, store_links
from services.consent.epochs import Change
from services.shared.sharing.purposes import ALLOWED, MATRIX_ROLES
from tests.integration.consent.desk import (
    CASE_MANAGER,
    CONTEXT,
    PERSON,
    Office,
    a_question,
    a_release,
    a_statement,
    serving,
)
from tests.unit.consent.builders import AGENCIES, OTHER_SUBJECT, PARTICIPANT, SUBJECT

OTHER_PARTICIPANT = "par_0198c1e2-0000-7000-8000-00000000000f"
STATUS = {"PROGRAM_STATUS", "SUD_PRESENCE"}
BY_A_RULE = ""


def seen_of(office: Office, subject: str) -> set[str]:
    return office.seen("prosecutor", "prosecutor", "DIVERSION_COORD", subject=subject)


def everything_seen(office: Office, subject: str) -> dict[tuple[str, str, str], int]:
    """What each agency sees of each source's records for each purpose that it has."""
    found = {}
    for agency in AGENCIES.values():
        role, matrix = next((role, one) for (role, kind), one in MATRIX_ROLES.items() if kind == agency.kind)
        for purpose in ALLOWED[matrix]:
            question = a_question(role, agency.agency_id, purpose, subject=subject)
            for source in ("police", "recovery"):
                question.records.add(subject_id=subject, source_agency_id=source, record_id="ref_linked")
            for record, decision in zip(question.records, office.decide(question), strict=True):
                found[agency.agency_id, purpose, record.source_agency_id] = decision.visible
    return found


def granted(office: Office, role: str, agency: str, purpose: str) -> list[str]:
    request = internal.ListGrantedSubjectsRequest(asker=a_question(role, agency, purpose).asker)
    with serving("referral"):
        return list(office.internal.ListGrantedSubjects(request, CONTEXT).subject_ids)


def test_no_release_covers_a_subject_that_a_rule_linked(office: Office) -> None:
    office.create(CASE_MANAGER, a_release())
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    assert seen_of(office, SUBJECT) == STATUS
    assert seen_of(office, OTHER_SUBJECT) == set()
    assert granted(office, "prosecutor", "prosecutor", "DIVERSION_COORD") == [SUBJECT]


def test_a_subject_that_a_rule_linked_is_not_the_persons_own(office: Office) -> None:
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    assert "CHARGE" in office.seen("participant", "", "PATRQT", "police")
    assert office.seen("participant", "", "PATRQT", "police", subject=OTHER_SUBJECT) == set()
    assert granted(office, "participant", "", "PATRQT") == [SUBJECT]


def test_nobody_sees_more_for_a_link_that_a_rule_found(office: Office) -> None:
    """Nor anything less, while no safety flag is set."""
    office.create(
        CASE_MANAGER,
        a_release(
            source_agency_ids=("outreach", "recovery"),
            recipient_agency_ids=("prosecutor", "recovery", "treatment", "clinic"),
            purposes=("DIVERSION_COORD", "CAREMGT", "TREAT"),
        ),
    )
    subject = "sub_0198c1e2-0000-7000-8000-0000000000aa"
    for fact, agency in (("ROUTED", "prosecutor"), ("DISPATCHED", "outreach"), ("ADDRESSED", "clinic")):
        office.state(a_statement(fact, agency, record="ref_linked", subject_id=subject))
    before = everything_seen(office, subject)
    office.link(subject, by=BY_A_RULE)
    assert everything_seen(office, subject) == before
    office.link(subject)
    after = everything_seen(office, subject)
    assert any(after[where] & ~before[where] for where in before)


def test_the_safety_flag_covers_a_subject_that_a_rule_linked(office: Office) -> None:
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    with office.desk.db.read() as connection:
        assert not store.held(connection, [OTHER_SUBJECT])[OTHER_SUBJECT].is_unsafe(office.clock.now())
        before = epochs.current(connection)
    office.state(a_statement("SAFETY", "outreach", record=PARTICIPANT), service="casework")
    with office.desk.db.read() as connection:
        assert store.held(connection, [OTHER_SUBJECT])[OTHER_SUBJECT].is_unsafe(office.clock.now())
        [change] = epochs.since(connection, before)
    assert set(change.subject_ids) == {SUBJECT, OTHER_SUBJECT}


def test_a_confirmation_makes_the_same_link_count_and_is_a_change_for_its_subject(office: Office) -> None:
    office.create(CASE_MANAGER, a_release())
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    with office.desk.db.read() as connection:
        before = epochs.current(connection)
    epoch = office.link(OTHER_SUBJECT)
    assert seen_of(office, OTHER_SUBJECT) == STATUS
    with office.desk.db.read() as connection:
        assert epochs.since(connection, before) == [Change(epoch, (OTHER_SUBJECT,), everything=False)]
        assert store.subjects_of(connection, [PARTICIPANT]) == (SUBJECT, OTHER_SUBJECT)


def test_a_rule_never_takes_a_confirmation_back_nor_moves_a_link(office: Office) -> None:
    office.create(CASE_MANAGER, a_release())
    office.link(SUBJECT, by=BY_A_RULE)
    office.link(SUBJECT, by=BY_A_RULE, participant=OTHER_PARTICIPANT)
    assert seen_of(office, SUBJECT) == STATUS
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    office.link(OTHER_SUBJECT, by=BY_A_RULE, participant=OTHER_PARTICIPANT)
    with office.desk.db.read() as connection:
        assert store.participants_of(connection, [SUBJECT, OTHER_SUBJECT]) == {
            SUBJECT: PARTICIPANT,
            OTHER_SUBJECT: PARTICIPANT,
        }


def test_what_a_person_says_goes_before_what_a_rule_found(office: Office) -> None:
    """A completed hand-off says whose the referral is, whomever a rule took him for."""
    office.create(CASE_MANAGER, a_release())
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    office.link(OTHER_SUBJECT, participant=OTHER_PARTICIPANT)
    assert seen_of(office, OTHER_SUBJECT) == set()
    with office.desk.db.read() as connection:
        link = store_links.links(connection, [OTHER_SUBJECT])[OTHER_SUBJECT]
    assert (link.participant_id, link.confirmed) == (OTHER_PARTICIPANT, True)


def test_what_a_release_changes_is_no_change_for_a_subject_that_a_rule_linked(office: Office) -> None:
    office.link(OTHER_SUBJECT, by=BY_A_RULE)
    taken = office.create(CASE_MANAGER, a_release())
    office.revoke(CASE_MANAGER, taken.id)
    with office.desk.db.read() as connection:
        newest = epochs.since(connection, epochs.current(connection) - 2)
    assert [set(one.subject_ids) for one in newest] == [{SUBJECT}, {SUBJECT}]


def test_the_first_subject_stays_the_first(office: Office) -> None:
    """Accounting and records hang on it, whatever is linked later."""
    earlier = "sub_0198c1e2-0000-7000-8000-000000000000"
    office.clock.advance(60)
    office.link(earlier, by=BY_A_RULE)
    office.clock.advance(60)
    office.link(earlier)
    with office.desk.db.read() as connection:
        assert store_links.confirmed_subjects(connection, PARTICIPANT) == (SUBJECT, earlier)
    taken = office.create(CASE_MANAGER, a_release())
    assert taken.reference.subject_id == SUBJECT
    assert {one.reference.subject_id for caller in (CASE_MANAGER, PERSON) for one in office.listed(caller)} == {SUBJECT}
