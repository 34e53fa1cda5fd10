"""Keys to seal with and keys to open with: custody, the decision behind each key, and the line on the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from lead.audit.v1 import audit_pb2
from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.options.v1 import words_pb2
from sqlalchemy import delete, select

from services.consent.models import DATA_KEYS, DECISIONS
from services.shared.sharing.need import BITS, words
from tests.integration.consent.desk import CASE_MANAGER, CONTEXT, Office, a_release, a_statement, serving
from tests.support.clock import NOON
from tests.unit.consent.builders import HANDOFF, OTHER_SUBJECT, PARTICIPANT, REFERRAL, SUBJECT

OTHER_REFERRAL = "ref_0198c1e2-0000-7000-8000-00000000000b"
CHARGE_ID = "chg_0198c1e2-0000-7000-8000-00000000000a"


@dataclass(frozen=True)
class Event:
    """The keys of one event, by the word of the section and, for those of single records, its id."""

    routing: bytes
    sections: dict[str, bytes]


def sealed(
    office: Office, topic: str, source: str, *categories: str, subject: str = SUBJECT, record: str = ""
) -> Event:
    """Keys as an area leases them to seal one event."""
    needs = [internal.SealingNeed.SectionNeed(category=number(word), record_id=record) for word in categories]
    request = internal.LeaseSealingKeysRequest(
        needs=[internal.SealingNeed(subject_id=subject, source_agency_id=source, sections=needs)]
    )
    with serving(topic):
        [lease] = office.internal.LeaseSealingKeys(request, CONTEXT).leases
    ids = [one.key_id for one in lease.sections]
    return Event(lease.routing.key_id, dict(zip(categories, ids, strict=True)))


def number(word: str) -> words_pb2.Category.ValueType:
    return words_pb2.Category.Value(f"CATEGORY_{word}")


def asked(
    office: Office, area: str, *events: Event, hosted: Iterable[str] = ()
) -> list[internal.ReleaseKeysResponse.ReleasedKeys]:
    request = internal.ReleaseKeysRequest(
        events=[
            internal.ReleaseKeysRequest.SealedKeys(routing_key_id=one.routing, section_key_ids=one.sections.values())
            for one in events
        ],
        hosted_agency_ids=hosted,
    )
    with serving(area):
        return list(office.internal.ReleaseKeys(request, CONTEXT).events)


def opened(office: Office, area: str, event: Event, hosted: Iterable[str] = ()) -> set[str]:
    """The words of the sections that an area may open now in an agency's name; matching has tests of its own."""
    [released] = asked(office, area, event, hosted=hosted)
    by_id = {key_id: word for word, key_id in event.sections.items()}
    if area != "gateway":
        assert bool(released.routing.key_id) == bool(released.sections)
    return {by_id[one.key_id] for one in released.sections if any(one.on_behalf_of_agency_ids)}


# Leasing.


def test_a_lease_gives_the_same_keys_each_time(office: Office) -> None:
    first = sealed(office, "referral", "police", "IDENTITY", "CHARGE")
    assert sealed(office, "referral", "police", "IDENTITY", "CHARGE") == first
    assert sealed(office, "referral", "police", "CHARGE").sections["CHARGE"] == first.sections["CHARGE"]


def test_no_two_places_share_a_key(office: Office) -> None:
    events = [
        sealed(office, "referral", "police", "IDENTITY", "CHARGE"),
        sealed(office, "review", "police", "IDENTITY", "CHARGE"),
        sealed(office, "referral", "sheriff", "IDENTITY", "CHARGE"),
        sealed(office, "referral", "police", "CHARGE", record=CHARGE_ID),
        sealed(office, "referral", "police", "IDENTITY", "CHARGE", subject=OTHER_SUBJECT),
    ]
    ids = [key_id for one in events for key_id in one.sections.values()]
    assert len(ids) == len(set(ids))
    routing = [one.routing for one in events]
    # One per topic and subject, whatever the source.
    assert routing[0] == routing[2] == routing[3]
    assert len(set(routing)) == 3
    assert not set(ids) & set(routing)


def test_a_subject_has_another_pseudonym_on_each_topic_and_always_the_same(office: Office) -> None:
    """EV-11."""

    def pseudonym(topic: str, subject: str) -> bytes:
        need = internal.SealingNeed(subject_id=subject, source_agency_id="police")
        with serving(topic):
            answer = office.internal.LeaseSealingKeys(internal.LeaseSealingKeysRequest(needs=[need]), CONTEXT)
        return answer.leases[0].pseudonym

    names = {
        (topic, subject): pseudonym(topic, subject) for topic in ("a", "b") for subject in (SUBJECT, OTHER_SUBJECT)
    }
    assert len(set(names.values())) == 4
    assert {key: pseudonym(*key) for key in names} == names
    assert all(SUBJECT.encode() not in name and len(name) == 32 for name in names.values())


def test_many_needs_are_answered_in_their_order(office: Office) -> None:
    needs = [
        internal.SealingNeed(
            subject_id=subject,
            source_agency_id="police",
            sections=[internal.SealingNeed.SectionNeed(category=number(word)) for word in ("CHARGE", "IDENTITY")],
        )
        for subject in (SUBJECT, OTHER_SUBJECT)
    ]
    with serving("referral"):
        leases = office.internal.LeaseSealingKeys(internal.LeaseSealingKeysRequest(needs=needs), CONTEXT).leases
    alone = [sealed(office, "referral", "police", "CHARGE", "IDENTITY", subject=one.subject_id) for one in needs]
    assert [[key.key_id for key in lease.sections] for lease in leases] == [
        list(one.sections.values()) for one in alone
    ]
    assert [lease.routing.key_id for lease in leases] == [one.routing for one in alone]


def test_keys_lie_wrapped_in_the_database(office: Office) -> None:
    need = internal.SealingNeed(subject_id=SUBJECT, source_agency_id="police")
    with serving("referral"):
        answer = office.internal.LeaseSealingKeys(internal.LeaseSealingKeysRequest(needs=[need]), CONTEXT)
    key = answer.leases[0].routing.key
    with office.desk.db.read() as connection:
        rows = connection.execute(select(DATA_KEYS)).all()
    assert len(key) == 32
    assert all(key not in row.wrapped for row in rows)


# Releasing.

REFERRED = ("IDENTITY", "CHARGE", "CONTACT_LOCATION", "CASE_NOTES")


def test_the_routed_office_opens_what_police_wrote_on_row_4(office: Office) -> None:
    event = sealed(office, "referral", "police", *REFERRED)
    assert opened(office, "review", event) == set()
    office.state(a_statement("ROUTED", "prosecutor"))
    assert opened(office, "review", event) == {"IDENTITY", "CHARGE"}


def test_a_released_key_says_what_it_is_for_and_in_whose_name(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"), a_statement("ROUTED", "other-prosecutor"))
    [released] = asked(office, "review", sealed(office, "referral", "police", "CHARGE", record=REFERRAL))
    [section] = released.sections
    assert (words(1 << section.category), section.source_agency_id, section.record_id) == (
        ("CHARGE",),
        "police",
        REFERRAL,
    )
    assert sorted(section.on_behalf_of_agency_ids) == ["other-prosecutor", "prosecutor"]
    assert section.until_time.ToDatetime(UTC) == NOON + timedelta(seconds=60)
    assert section.consent_id == ""
    assert len(section.key) == len(released.routing.key) == 32


def test_a_confirmation_opens_by_the_release_that_it_rests_on(office: Office) -> None:
    """Rows 15 and 20; without a release nothing is known of the participant."""
    office.state(a_statement("ROUTED", "prosecutor"))
    event = sealed(office, "casework", "recovery", "PROGRAM_STATUS", "CASE_NOTES")
    assert opened(office, "review", event) == set()
    release = a_release(source_agency_ids=("recovery",), categories=("PROGRAM_STATUS",))
    office.create(CASE_MANAGER, release)
    assert opened(office, "review", event) == set()
    taken = office.create(CASE_MANAGER, a_release(source_agency_ids=("recovery",)))
    [released] = asked(office, "review", event)
    assert [words(1 << one.category) for one in released.sections] == [("PROGRAM_STATUS",)]
    office.revoke(CASE_MANAGER, taken.id)
    assert opened(office, "review", event) == set()


def test_a_release_cited_with_a_key_is_the_one_that_opens_it(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    taken = office.create(CASE_MANAGER, a_release())
    [released] = asked(office, "review", sealed(office, "casework", "outreach", "PROGRAM_STATUS"))
    [section] = released.sections
    assert (section.consent_id, section.consent_version) == (taken.id, 1)


def test_the_dispatched_agency_opens_the_hand_off_on_row_9_while_its_window_is_open(office: Office) -> None:
    event = sealed(office, "referral", "police", "IDENTITY", "CONTACT_LOCATION", "STAFF", "CHARGE")
    window: dict[str, Any] = {"record": HANDOFF, "until": NOON + timedelta(minutes=1)}
    office.state(a_statement("DISPATCHED", "outreach", **window))
    assert opened(office, "casework", event) == {"IDENTITY", "CONTACT_LOCATION", "STAFF"}
    office.clock.advance(60)
    assert opened(office, "casework", event) == set()


def test_casework_opens_no_charge_and_no_decision_even_with_a_release(office: Office) -> None:
    """Case managers read both on /v1/referrals."""
    office.create(
        CASE_MANAGER,
        a_release(source_agency_ids=("police", "prosecutor"), recipient_agency_ids=("recovery",)),
    )
    for topic, source in (("referral", "police"), ("review", "prosecutor")):
        assert opened(office, "casework", sealed(office, topic, source, "CHARGE", "DECISION")) == set()


def test_police_and_the_sites_programme_office_open_the_decision(office: Office) -> None:
    """Rows 5 and 7."""
    event = sealed(office, "review", "prosecutor", "DECISION", "PROSECUTOR_WORK_PRODUCT", record=REFERRAL)
    assert opened(office, "referral", event) == set()
    office.state(a_statement("INCIDENT", "police"), a_statement("SITE", site_id="north"))
    assert opened(office, "referral", event) == {"DECISION"}
    [released] = asked(office, "referral", event)
    assert sorted(released.sections[0].on_behalf_of_agency_ids) == ["office", "police"]


def test_an_area_opens_nothing_of_a_topic_that_is_not_its_custody(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    assert opened(office, "review", sealed(office, "review", "police", "CHARGE")) == set()
    assert opened(office, "casework", sealed(office, "casework", "police", "IDENTITY")) == set()
    for area in ("gateway", "audit", "", "consent"):
        assert opened(office, area, sealed(office, "referral", "police", "CHARGE")) == set()


def test_an_area_hosted_for_some_agencies_opens_in_their_name_alone(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"), a_statement("ROUTED", "other-prosecutor"))
    event = sealed(office, "referral", "police", "CHARGE")
    [released] = asked(office, "review", event, hosted=["other-prosecutor"])
    assert list(released.sections[0].on_behalf_of_agency_ids) == ["other-prosecutor"]
    assert opened(office, "review", event, hosted=["defender"]) == set()


def test_the_routing_key_comes_only_together_with_a_section(office: Office) -> None:
    event = sealed(office, "referral", "police", "CASE_NOTES")
    [released] = asked(office, "review", event)
    assert not released.routing.key
    [released] = asked(office, "review", Event(event.routing, {}))
    assert not released.routing.key


def test_another_subjects_routing_key_does_not_come_with_a_section(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    mine = sealed(office, "referral", "police", "CHARGE")
    theirs = sealed(office, "referral", "police", "CHARGE", subject=OTHER_SUBJECT)
    [released] = asked(office, "review", Event(theirs.routing, mine.sections))
    assert not released.routing.key
    assert not released.sections


def test_a_section_of_another_topic_does_not_come_with_a_routing_key(office: Office) -> None:
    office.create(CASE_MANAGER, a_release())
    status = sealed(office, "casework", "outreach", "PROGRAM_STATUS")
    other = sealed(office, "referral", "police", "CASE_NOTES")
    [released] = asked(office, "review", Event(other.routing, status.sections))
    assert not released.routing.key
    assert not released.sections


def test_the_key_of_a_section_never_goes_out_as_a_routing_key(office: Office) -> None:
    """It would go out without a decision."""
    office.state(a_statement("ROUTED", "prosecutor"))
    event = sealed(office, "referral", "police", "CHARGE", "CASE_NOTES")
    [released] = asked(office, "review", Event(event.sections["CASE_NOTES"], {"CHARGE": event.sections["CHARGE"]}))
    assert not released.routing.key
    assert not released.sections


def test_the_routing_key_never_goes_out_as_a_section(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    event = sealed(office, "referral", "police", "CHARGE")
    [released] = asked(office, "review", Event(event.routing, {"CHARGE": event.sections["CHARGE"], "": event.routing}))
    assert [one.key_id for one in released.sections] == [event.sections["CHARGE"]]


def test_a_destroyed_key_is_simply_absent(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    event = sealed(office, "referral", "police", "CHARGE", "IDENTITY")
    with office.desk.db.write() as connection:
        connection.execute(delete(DATA_KEYS).where(DATA_KEYS.c.key_id == event.sections["CHARGE"]))
    assert opened(office, "review", event) == {"IDENTITY"}
    assert sealed(office, "referral", "police", "CHARGE").sections["CHARGE"] != event.sections["CHARGE"]


def test_an_unknown_key_is_simply_absent(office: Office) -> None:
    assert opened(office, "review", Event(b"\0" * 16, {"CHARGE": b"\1" * 16})) == set()


def test_each_event_is_answered_in_its_place(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    mine = sealed(office, "referral", "police", "CHARGE")
    theirs = sealed(office, "referral", "police", "CHARGE", subject=OTHER_SUBJECT)
    found = asked(office, "review", theirs, mine, theirs)
    assert [len(one.sections) for one in found] == [0, 1, 0]


def test_a_release_of_keys_is_on_its_way_to_the_ledger_before_it_is_answered(office: Office) -> None:
    """One entry an agency acted for, with the row of each category."""
    office.state(a_statement("ROUTED", "prosecutor"))
    taken = office.create(CASE_MANAGER, a_release(source_agency_ids=("recovery",)))
    asked(office, "review", sealed(office, "casework", "recovery", "PROGRAM_STATUS", "CASE_NOTES"))
    [entry] = office.spooled()
    assert (entry.kind, entry.agency_id, entry.method) == (
        audit_pb2.ENTRY_KIND_KEY_RELEASE,
        "prosecutor",
        "custody of review",
    )
    assert (entry.identifying.subject_id, entry.identifying.account_id) == (SUBJECT, "review")
    assert entry.entry_key
    assert {
        (one.row, one.rule, words(one.categories), one.consent_id, one.source_agency_id) for one in entry.bases
    } == {
        (15, "consent", ("PROGRAM_STATUS",), taken.id, "recovery"),
        (20, "consent", ("SUD_PRESENCE",), taken.id, "recovery"),
    }


def test_a_denied_key_leaves_no_line_on_the_ledger(office: Office) -> None:
    asked(office, "review", sealed(office, "referral", "police", "CHARGE"))
    assert office.spooled() == []


def test_a_release_of_keys_is_in_the_decision_log(office: Office) -> None:
    """AU-01; architecture section 6: custody releases go to the decision log."""
    office.state(a_statement("ROUTED", "prosecutor"))
    office.log.start()
    asked(office, "review", sealed(office, "referral", "police", "CHARGE", "CASE_NOTES", record=REFERRAL))
    office.log.stop()
    with office.desk.db.read() as connection:
        [row] = connection.execute(select(DECISIONS)).all()
    assert (row.asker["role"], row.asker["agency"], row.asker["purpose"]) == (
        "prosecutor",
        "prosecutor",
        "DIVERSION_COORD",
    )
    assert row.record["source"] == "police"
    assert row.visible & BITS["CHARGE"]


def test_keys_that_one_decision_opens_are_one_decision_in_the_log(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    office.state(a_statement("ROUTED", "prosecutor", record=OTHER_REFERRAL, subject_id=OTHER_SUBJECT))
    office.log.start()
    events = [
        sealed(office, "referral", "police", "REFERRAL", "CHARGE", record=REFERRAL),
        sealed(office, "referral", "police", "CHARGE", record=CHARGE_ID),
        sealed(office, "referral", "police", "REFERRAL", subject=OTHER_SUBJECT, record=OTHER_REFERRAL),
    ]
    assert [len(one.sections) for one in asked(office, "review", *events)] == [2, 1, 1]
    office.log.stop()
    with office.desk.db.read() as connection:
        rows = connection.execute(select(DECISIONS)).all()
    about = sorted((row.record["subject"], row.record["record"]) for row in rows)
    # A charge's key stands on any referral of its subject, which is another question.
    assert about == sorted([(SUBJECT, ""), (SUBJECT, REFERRAL), (OTHER_SUBJECT, OTHER_REFERRAL)])


def test_a_charges_own_key_stands_on_its_referrals_facts(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    event = sealed(office, "referral", "police", "CHARGE", record=CHARGE_ID)
    assert opened(office, "review", event) == {"CHARGE"}


def test_a_safety_flag_does_not_open_anything(office: Office) -> None:
    office.state(a_statement("SAFETY", "outreach", record=PARTICIPANT), service="casework")
    event = sealed(office, "referral", "police", "CONTACT_LOCATION", "IDENTITY")
    assert opened(office, "casework", event) == set()
