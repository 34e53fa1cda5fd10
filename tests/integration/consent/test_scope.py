"""Facts that areas state: newest wins, decisions follow, and what narrows is effective everywhere on return."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead.consent.v1 import consent_internal_service_pb2 as internal
from sqlalchemy import delete, select

from services.consent import epochs
from services.consent.epochs import Change
from services.consent.models import SCOPE_FACTS
from services.consent.sessions import LIFE_SECONDS
from services.shared.errors import LeadError
from tests.integration.consent.desk import CASE_MANAGER, CONTEXT, Office, a_question, a_release, a_statement, serving
from tests.support.clock import NOON
from tests.unit.consent.builders import HANDOFF, OTHER_SUBJECT, PARTICIPANT, SUBJECT

HOUR = timedelta(hours=1)
HANDED_OVER = {"IDENTITY", "REFERRAL", "CONTACT_LOCATION", "ELIGIBILITY"}
SOON = 0.25


def a_window(**changes: Any) -> internal.ScopeStatement:
    about: dict[str, Any] = {"agency": "outreach", "record": HANDOFF, "since": NOON, "until": NOON + HOUR, **changes}
    return a_statement("DISPATCHED", **about)


def handed_over(office: Office) -> set[str]:
    return office.seen("case_manager", "outreach", "HANDOFF", "police", HANDOFF)


def changes_since(office: Office, epoch: int) -> list[Change]:
    with office.desk.db.read() as connection:
        return epochs.since(connection, epoch)


def now(office: Office) -> int:
    with office.desk.db.read() as connection:
        return epochs.current(connection)


def test_a_window_opens_when_it_is_stated_and_closes_when_it_is_closed(office: Office) -> None:
    assert handed_over(office) == set()
    office.state(a_window())
    assert handed_over(office) == HANDED_OVER
    office.state(a_window(closed=True, version=2))
    assert handed_over(office) == set()


def test_a_window_ends_by_the_clock_though_nobody_closes_it(office: Office) -> None:
    office.state(a_window())
    office.clock.advance(HOUR.total_seconds())
    assert handed_over(office) == set()


def test_an_older_statement_never_overwrites_a_newer_one(office: Office) -> None:
    """EV-16."""
    office.state(a_statement("ROUTED", "prosecutor", version=2))
    office.state(a_statement("ROUTED", "prosecutor", closed=True, version=5))
    before = now(office)
    for version in (1, 4, 5):
        office.state(a_statement("ROUTED", "prosecutor", version=version))
    assert office.seen("prosecutor", "prosecutor", "DIVERSION_COORD", "police") == set()
    assert changes_since(office, before) == []
    office.state(a_statement("ROUTED", "prosecutor", version=6))
    assert "CHARGE" in office.seen("prosecutor", "prosecutor", "DIVERSION_COORD", "police")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.permutations(range(1, 6)), st.lists(st.booleans(), min_size=5, max_size=5))
def test_in_whatever_order_statements_come_the_newest_stands(
    office: Office, order: list[int], closed: list[bool]
) -> None:
    with office.desk.db.write() as connection:
        connection.execute(delete(SCOPE_FACTS).where(SCOPE_FACTS.c.fact == "ROUTED"))
    for version in order:
        office.state(a_statement("ROUTED", "prosecutor", closed=closed[version - 1], version=version))
    with office.desk.db.read() as connection:
        [row] = connection.execute(select(SCOPE_FACTS).where(SCOPE_FACTS.c.fact == "ROUTED")).all()
    assert (row.version, row.closed) == (5, closed[4])


def test_facts_of_two_agencies_stand_beside_each_other(office: Office) -> None:
    office.state(a_statement("ROUTED", "prosecutor"), a_statement("ROUTED", "other-prosecutor"))
    office.state(a_statement("ROUTED", "prosecutor", closed=True, version=2))
    assert office.seen("prosecutor", "prosecutor", "DIVERSION_COORD", "police") == set()
    assert "CHARGE" in office.seen("prosecutor", "other-prosecutor", "DIVERSION_COORD", "police")


def test_a_change_names_the_subject_that_it_is_about(office: Office) -> None:
    before = now(office)
    epoch = office.state(a_window())
    assert changes_since(office, before) == [Change(epoch, (SUBJECT,), everything=False)]


def test_the_first_fact_about_a_subject_changes_no_decision(office: Office) -> None:
    before = now(office)
    office.state(a_statement("SITE", site_id="north", record="ref_new", subject_id=OTHER_SUBJECT))
    assert changes_since(office, before) == []
    office.state(a_statement("ROUTED", "prosecutor", record="ref_new", subject_id=OTHER_SUBJECT))
    assert [one.subject_ids for one in changes_since(office, before)] == [(OTHER_SUBJECT,)]


def test_a_safety_flag_is_a_change_for_every_subject_of_the_participant(office: Office) -> None:
    """Where the person is found stays hidden whichever record it stands on (row 12)."""
    office.link(OTHER_SUBJECT)
    before = now(office)
    office.state(a_statement("SAFETY", "outreach", record=PARTICIPANT), service="casework")
    [change] = changes_since(office, before)
    assert set(change.subject_ids) == {SUBJECT, OTHER_SUBJECT}


def test_a_safety_flag_withholds_where_the_person_is_found(office: Office) -> None:
    office.create(CASE_MANAGER, a_release(recipient_agency_ids=("unasked",), purposes=("CAREMGT",)))
    office.state(a_statement("SAFETY", "outreach", record=PARTICIPANT), service="casework")
    assert "CONTACT_LOCATION" not in office.seen("case_manager", "unasked", "CAREMGT", "police")


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        ({"fact": 0}, ["statements[1].fact"]),
        ({"fact": 99}, ["statements[1].fact"]),
        ({"subject_id": "", "record_id": ""}, ["statements[1].subjectId", "statements[1].recordId"]),
        ({"subject_id": "sub_1"}, ["statements[1].subjectId"]),
    ],
)
def test_a_statement_that_says_nothing_is_refused_with_the_whole_request(
    office: Office, wrong: dict[str, object], paths: list[str]
) -> None:
    said = a_window()
    for name, value in wrong.items():
        setattr(said, name, value)
    with pytest.raises(LeadError) as refused:
        office.state(a_statement("ROUTED", "prosecutor"), said)
    assert [one.path for one in refused.value.violations] == paths
    assert office.seen("prosecutor", "prosecutor", "DIVERSION_COORD", "police") == set()


class Hung:
    """An enforcement point that holds a session and acknowledges nothing before it is told to."""

    def __init__(self, office: Office) -> None:
        self.office, self.sequence = office, 1
        office.desk.sessions.renew("ses_hung", "gateway", now(office), 1)

    def acknowledge(self) -> None:
        self.sequence += 1
        self.office.desk.sessions.renew("ses_hung", "gateway", now(self.office), self.sequence)

    def die(self) -> None:
        self.office.clock.advance(LIFE_SECONDS + 0.1)


@pytest.fixture
def pool(office: Office) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
        office.clock.advance(1000)


def waits(found: Future[int]) -> bool:
    try:
        found.result(SOON)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(
    "narrower",
    [
        a_window(closed=True, version=2),
        a_window(until=NOON + timedelta(seconds=1), version=2),
        a_window(since=NOON + timedelta(seconds=1), version=2),
        a_statement("SITE", site_id="south", version=2),
        a_statement("SAFETY", "outreach", record=PARTICIPANT),
    ],
    ids=["closed", "ends sooner", "begins later", "moved to another site", "safety flag"],
)
def test_what_narrows_is_effective_everywhere_on_return(
    office: Office, pool: ThreadPoolExecutor, narrower: internal.ScopeStatement
) -> None:
    office.state(a_window(), a_statement("SITE", site_id="north"))
    hung = Hung(office)
    found = pool.submit(office.state, narrower)
    assert waits(found)
    office.clock.advance(4)
    assert waits(found)
    hung.acknowledge()
    assert found.result(5)


def test_what_narrows_is_effective_when_who_hung_is_dead(office: Office, pool: ThreadPoolExecutor) -> None:
    office.state(a_window())
    hung = Hung(office)
    found = pool.submit(office.state, a_window(closed=True, version=2))
    assert waits(found)
    hung.die()
    assert found.result(5)


def test_what_widens_waits_for_nobody_long(office: Office, pool: ThreadPoolExecutor) -> None:
    Hung(office)
    found = pool.submit(office.state, a_window())
    waited = 0.0
    while waits(found):
        office.clock.advance(0.3)
        waited += 0.3
    assert found.result()
    assert waited < 2


def test_the_answer_names_the_epoch_from_which_decisions_rest_on_it(office: Office) -> None:
    epoch = office.state(a_window())
    with serving("gateway"):
        answer = office.internal.Decide(a_question("case_manager", "outreach", "HANDOFF"), CONTEXT)
    assert answer.epoch >= epoch


def test_a_statement_that_says_what_stands_changes_no_decision(office: Office) -> None:
    office.state(a_window())
    before = now(office)
    office.state(a_window(version=7))
    assert changes_since(office, before) == []
    office.state(a_window(version=6, closed=True))
    assert handed_over(office) == HANDED_OVER


def test_a_window_that_was_closed_or_shortened_is_never_opened_again(office: Office) -> None:
    office.state(a_window())
    office.state(a_window(until=NOON + timedelta(minutes=5), version=2))
    office.state(a_window(until=NOON + HOUR, version=3))
    office.clock.advance(301)
    assert handed_over(office) == set()
    office.state(a_window(closed=True, version=4), a_window(until=NOON + 5 * HOUR, version=5))
    assert handed_over(office) == set()
