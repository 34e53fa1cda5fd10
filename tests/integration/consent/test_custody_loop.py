"""Custody of provider, of casework as the linker, of outcomes, and of the gateway, key by key."""

from __future__ import annotations

from datetime import UTC, timedelta

from lead.consent.v1 import consent_internal_service_pb2 as internal
from sqlalchemy import select

from services.consent.models import DATA_KEYS, DECISIONS
from services.shared.sharing.need import words
from tests.integration.consent.desk import CASE_MANAGER, CONTEXT, Office, a_release, a_statement, serving
from tests.integration.consent.test_custodian import Event, asked, opened, sealed
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    OTHER_SUBJECT,
    REFERRAL,
    SUBJECT,
    a_qsoa,
    an_agreement,
    an_approval,
)

SERVICE_REFERRAL = "srf_0198c1e2-0000-7000-8000-00000000000b"
# A subject of its own: no facts, no participant.
EVENT_SUBJECT = "sub_0198c1e2-0000-7000-8000-00000000000c"
TOLD = ("IDENTITY", "NEEDS", "PROGRAM_STATUS", "LINKED_RESEARCH")


def addressed(office: Office, *agencies: str) -> None:
    for agency in agencies:
        office.state(a_statement("ADDRESSED", agency, record=f"{SERVICE_REFERRAL}{agency}"), service="provider")


def released(
    office: Office, *recipients: str, source: str = "outreach", purposes: tuple[str, ...] = ("CAREMGT",)
) -> str:
    draft = a_release(source_agency_ids=(source,), recipient_agency_ids=recipients, purposes=purposes)
    return office.create(CASE_MANAGER, draft).id


def told_for(office: Office, area: str, event: Event) -> dict[str, list[str]]:
    """In whose name each section is opened, by the word of its category."""
    [found] = asked(office, area, event)
    return {words(1 << one.category)[0]: list(one.on_behalf_of_agency_ids) for one in found.sections}


# provider


def test_an_addressed_provider_learns_who_is_coming_once_the_person_released_it(office: Office) -> None:
    """Row 11 is both: addressed, and a release."""
    event = sealed(office, "casework", "outreach", *TOLD)
    addressed(office, "clinic")
    assert opened(office, "provider", event) == set()
    released(office, "clinic", "housing")
    assert told_for(office, "provider", event) == {
        "IDENTITY": ["clinic"],
        "NEEDS": ["clinic"],
        "PROGRAM_STATUS": ["clinic"],
    }
    addressed(office, "housing")
    assert sorted(told_for(office, "provider", event)["NEEDS"]) == ["clinic", "housing"]


def test_an_agency_is_named_once_whatever_purposes_open_a_key(office: Office) -> None:
    addressed(office, "treatment", "clinic", "housing", "trainer", "counselling", "ambulance")
    everybody = ("treatment", "clinic", "housing", "trainer", "counselling", "ambulance")
    released(office, *everybody, purposes=("CAREMGT", "TREAT", "HOUSING_PLACE"))
    for agencies in told_for(office, "provider", sealed(office, "casework", "outreach", *TOLD)).values():
        assert sorted(agencies) == sorted(everybody)
    assert len(office.spooled()) == len(everybody)


def test_each_purpose_of_a_kind_opens_by_itself(office: Office) -> None:
    addressed(office, "treatment", "housing", "trainer")
    released(office, "treatment", "trainer", purposes=("TREAT",))
    released(office, "housing", "trainer", purposes=("HOUSING_PLACE",))
    event = sealed(office, "casework", "outreach", "NEEDS")
    assert sorted(told_for(office, "provider", event)["NEEDS"]) == ["housing", "treatment"]


def test_what_a_part_2_case_manager_says_of_a_person_needs_sud_presence_too(office: Office) -> None:
    """Row 19; 42 CFR 2.13(c)."""
    addressed(office, "housing")
    event = sealed(office, "casework", "recovery", "NEEDS")
    draft = a_release(
        source_agency_ids=("recovery",), recipient_agency_ids=("housing",), purposes=("CAREMGT",), categories=("NEEDS",)
    )
    office.create(CASE_MANAGER, draft)
    assert opened(office, "provider", event) == set()
    released(office, "housing", source="recovery")
    assert opened(office, "provider", event) == {"NEEDS"}
    assert {basis.row for entry in office.spooled() for basis in entry.bases} == {11, 19}


def test_a_provider_opens_nothing_of_another_topic_or_agency(office: Office) -> None:
    addressed(office, "clinic")
    released(office, "clinic", "counselling", source="police")
    assert opened(office, "provider", sealed(office, "referral", "police", "IDENTITY")) == set()
    released(office, "counselling")
    assert opened(office, "provider", sealed(office, "casework", "outreach", "IDENTITY")) == set()


def test_a_revocation_closes_what_the_provider_could_open(office: Office) -> None:
    addressed(office, "clinic")
    taken = released(office, "clinic")
    event = sealed(office, "casework", "outreach", "NEEDS")
    assert opened(office, "provider", event) == {"NEEDS"}
    office.revoke(CASE_MANAGER, taken)
    assert opened(office, "provider", event) == set()


# casework as the linker


def test_the_linker_opens_names_and_nothing_else_in_nobodys_name(office: Office) -> None:
    """Row 41; the subject of a justice event has no facts and no participant."""
    event = sealed(office, "referral", "jail", "IDENTITY", "LINKED_RESEARCH", "CHARGE", subject=EVENT_SUBJECT)
    assert told_for(office, "casework", event) == {"IDENTITY": [""]}
    compared = sealed(office, "outcomes", "office", "IDENTITY", "LINKED_RESEARCH", subject=EVENT_SUBJECT)
    assert told_for(office, "casework", compared) == {"IDENTITY": [""]}
    [found] = asked(office, "casework", event)
    assert len(found.routing.key) == 32


def test_a_dispatched_agency_and_the_linker_open_the_same_name_side_by_side(office: Office) -> None:
    office.state(a_statement("DISPATCHED", "outreach", until=NOON + timedelta(hours=1)))
    event = sealed(office, "referral", "police", "IDENTITY", "REFERRAL", record="")
    assert told_for(office, "casework", event) == {"IDENTITY": ["outreach", ""], "REFERRAL": ["outreach"]}


def test_the_linker_needs_the_operators_service_agreement_for_a_part_2_source(office: Office) -> None:
    event = sealed(office, "referral", "recovery", "IDENTITY", subject=EVENT_SUBJECT)
    assert told_for(office, "casework", event) == {}
    office.agree(a_qsoa("recovery"))
    assert told_for(office, "casework", event) == {"IDENTITY": [""]}
    assert told_for(office, "casework", sealed(office, "referral", "outsider", "IDENTITY")) == {}


def test_a_match_is_on_the_ledger_and_no_disclosure_to_an_agency(office: Office) -> None:
    asked(office, "casework", sealed(office, "referral", "jail", "IDENTITY", subject=EVENT_SUBJECT))
    [entry] = office.spooled()
    assert (entry.agency_id, entry.method, entry.identifying.subject_id) == ("", "custody of casework", EVENT_SUBJECT)
    assert [(one.row, one.rule, words(one.categories)) for one in entry.bases] == [(41, "allow", ("IDENTITY",))]


def test_an_area_that_is_hosted_for_some_agencies_matches_nobody(office: Office) -> None:
    event = sealed(office, "referral", "jail", "IDENTITY", subject=EVENT_SUBJECT)
    [found] = asked(office, "casework", event, hosted=["outreach"])
    assert not found.sections


# outcomes


def test_an_approved_evaluator_opens_pseudonymous_rows_of_every_topic(office: Office) -> None:
    """Row 36; the subject of a justice event has no facts and no participant."""
    events = [
        sealed(office, topic, source, *TOLD, subject=EVENT_SUBJECT)
        for topic, source in (("referral", "jail"), ("casework", "office"), ("outcomes", "office"))
    ]
    assert [told_for(office, "outcomes", one) for one in events] == [{}, {}, {}]
    office.agree(an_approval())
    assert [told_for(office, "outcomes", one) for one in events] == [{"LINKED_RESEARCH": ["evaluator"]}] * 3
    assert told_for(office, "outcomes", sealed(office, "review", "prosecutor", *TOLD)) == {}


def test_a_key_and_its_line_on_the_ledger_name_the_approval(office: Office) -> None:
    soon = NOON + timedelta(seconds=15)
    office.agree(an_approval(until_at=soon))
    [found] = asked(office, "outcomes", sealed(office, "referral", "jail", "LINKED_RESEARCH", subject=EVENT_SUBJECT))
    [section] = found.sections
    assert (section.approval_id, section.consent_id) == ("agr-research", "")
    assert section.until_time.ToDatetime(UTC) == soon
    [entry] = office.spooled()
    assert entry.agency_id == "evaluator"
    assert [(one.row, one.rule, one.approval_id) for one in entry.bases] == [(36, "approval", "agr-research")]
    office.clock.advance(15)
    assert opened(office, "outcomes", sealed(office, "referral", "jail", "LINKED_RESEARCH")) == set()


def test_a_new_approval_is_a_change_of_everything(office: Office) -> None:
    with serving("gateway"):
        before = office.internal.ReadRegistry(internal.ReadRegistryRequest(), CONTEXT).epoch
    office.agree(an_approval())
    [change] = office.internal._changes(before, "outcomes")
    assert change.everything


def test_a_change_names_the_keys_that_the_new_areas_may_ask_for_again(office: Office) -> None:
    event = sealed(office, "casework", "outreach", "NEEDS")
    other = sealed(office, "referral", "police", "IDENTITY")
    before = office.desk.sessions.epoch()
    released(office, "clinic")
    named = {service: set(office.internal._changes(before, service)[0].key_ids) for service in ("provider", "outcomes")}
    assert named["provider"] == set(event.sections.values())
    assert named["outcomes"] == {*event.sections.values(), *other.sections.values()}
    assert set(office.internal._changes(before, "casework")[0].key_ids) == set(other.sections.values())


def test_an_agreement_between_the_evaluator_and_the_source_is_needed_too(office: Office) -> None:
    office.agree(an_approval(site_ids=("north", "south")), an_agreement("outsider", "police", agreement_id="agr-south"))
    assert opened(office, "outcomes", sealed(office, "referral", "outsider", "LINKED_RESEARCH")) == set()


# the gateway


def test_the_gateway_opens_the_routing_of_every_topic_and_no_section(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"))
    for topic in ("referral", "review", "casework", "provider", "outcomes"):
        [found] = asked(office, "gateway", sealed(office, topic, "police", "CHARGE", "IDENTITY", subject=OTHER_SUBJECT))
        assert len(found.routing.key) == 32
        assert not found.sections


def test_no_sections_key_goes_to_the_gateway_as_a_routing_key(office: Office) -> None:
    event = sealed(office, "referral", "police", "CHARGE")
    [wrong, right, unknown] = asked(
        office, "gateway", Event(event.sections["CHARGE"], {}), event, Event(b"\0" * 16, event.sections)
    )
    assert not wrong.HasField("routing")
    assert right.routing.key_id == event.routing
    assert not unknown.HasField("routing")


def test_routing_keys_are_one_note_a_batch_and_no_line_on_the_ledger(office: Office) -> None:
    office.log.start()
    events = [sealed(office, "referral", "police", "CHARGE", subject=one) for one in (SUBJECT, OTHER_SUBJECT)]
    asked(office, "gateway", *events)
    asked(office, "gateway")
    office.log.stop()
    assert office.spooled() == []
    with office.desk.db.read() as connection:
        [row] = connection.execute(select(DECISIONS)).all()
    assert row.inputs == {"routing_keys": 2}
    assert (row.visible, row.record["subject"], row.request_id) == (0, "", "req_sample")


def test_a_destroyed_routing_key_is_simply_absent(office: Office) -> None:
    event = sealed(office, "referral", "police", "CHARGE", record=REFERRAL)
    with office.desk.db.write() as connection:
        connection.execute(DATA_KEYS.delete().where(DATA_KEYS.c.key_id == event.routing))
    [found] = asked(office, "gateway", event)
    assert not found.HasField("routing")
