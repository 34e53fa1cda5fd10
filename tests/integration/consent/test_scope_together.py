"""Facts that come in one request stand as if each had come by itself, and cost a bounded number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead.consent.v1 import consent_internal_service_pb2 as internal
from sqlalchemy import Connection, delete, event, select

from services.consent.models import SCOPE_FACTS
from tests.integration.consent.desk import Office, a_statement
from tests.support.clock import NOON
from tests.unit.consent.builders import HANDOFF, OTHER_SUBJECT, PARTICIPANT, SUBJECT

MINUTE = timedelta(minutes=1)


def a_window(version: int, minutes: int, *, closed: bool, subject: str) -> internal.ScopeStatement:
    until = NOON + minutes * MINUTE
    return a_statement(
        "DISPATCHED", "outreach", HANDOFF, version, since=NOON, until=until, closed=closed, subject_id=subject
    )


def a_route(version: int, record: str, *, closed: bool, subject: str) -> internal.ScopeStatement:
    return a_statement("ROUTED", "prosecutor", record, version, closed=closed, subject_id=subject)


def a_flag(version: int, *, closed: bool) -> internal.ScopeStatement:
    return a_statement("SAFETY", "outreach", PARTICIPANT, version, closed=closed)


VERSIONS, SUBJECTS = st.integers(1, 4), st.sampled_from([SUBJECT, OTHER_SUBJECT])
STATEMENTS = st.one_of(
    st.builds(a_window, VERSIONS, st.integers(1, 3), closed=st.booleans(), subject=SUBJECTS),
    st.builds(a_route, VERSIONS, st.sampled_from(["ref_1", "ref_2"]), closed=st.booleans(), subject=SUBJECTS),
    st.builds(a_flag, VERSIONS, closed=st.booleans()),
)


def standing(office: Office) -> set[tuple[object, ...]]:
    with office.desk.db.read() as connection:
        return {tuple(row) for row in connection.execute(select(SCOPE_FACTS))}


def without_facts(office: Office) -> None:
    with office.desk.db.write() as connection:
        connection.execute(delete(SCOPE_FACTS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(STATEMENTS, min_size=1, max_size=8))
def test_facts_of_one_request_stand_as_if_they_had_come_one_by_one(
    office: Office, stated: Sequence[internal.ScopeStatement]
) -> None:
    without_facts(office)
    for each in stated:
        office.state(each, service="casework")
    one_by_one = standing(office)
    without_facts(office)
    office.state(*stated, service="casework")
    assert standing(office) == one_by_one


def test_many_facts_in_one_request_cost_as_many_queries_as_few(office: Office) -> None:
    # From the second statement on the subject is known, and a change is a change of decisions.
    office.state(a_route(1, "ref_first", closed=False, subject=OTHER_SUBJECT))
    asked: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(office.desk.db.engine, "before_cursor_execute", note)
    office.state(*(a_route(1, f"ref_few_{number}", closed=False, subject=OTHER_SUBJECT) for number in range(2)))
    few = len(asked)
    asked.clear()
    office.state(*(a_route(1, f"ref_many_{number}", closed=False, subject=OTHER_SUBJECT) for number in range(200)))
    assert len(asked) == few
