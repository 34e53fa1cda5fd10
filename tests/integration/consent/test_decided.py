"""Decisions as the gateway asks for them, and the log that lets each be derived again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.options.v1 import options_pb2
from sqlalchemy import select, text

from services.consent import epochs
from services.consent.models import DECISIONS
from services.shared.errors import Code, LeadError
from services.shared.sharing.need import BITS
from tests.integration.consent.desk import (
    CASE_MANAGER,
    CONTEXT,
    Office,
    a_question,
    a_release,
    a_statement,
    references,
    serving,
)
from tests.unit.consent.builders import OTHER_SUBJECT, REFERRAL, SUBJECT


def asked(office: Office, question: internal.DecideRequest) -> internal.DecideResponse:
    with serving("gateway"):
        return office.internal.Decide(question, CONTEXT)


def logged(office: Office) -> list[Any]:
    with office.desk.db.read() as connection:
        return list(connection.execute(select(DECISIONS).order_by(DECISIONS.c.decision_id)).all())


def test_each_record_is_decided_in_its_place(office: Office) -> None:
    """EV-T6: a batch may hold records under different releases."""
    office.state(a_statement("ROUTED", "prosecutor"))
    taken = office.create(CASE_MANAGER, a_release())
    question = a_question("prosecutor", "prosecutor", "DIVERSION_COORD", "police")
    for source, record, subject in (("outreach", "par_1", SUBJECT), ("police", "ref_x", OTHER_SUBJECT), ("", "", "")):
        question.records.append(options_pb2.Reference(subject_id=subject, source_agency_id=source, record_id=record))
    first, second, third, none = asked(office, question).decisions
    assert first.visible & BITS["CHARGE"]
    assert references([first, second, third, none]) == [taken.id, taken.id]
    assert second.visible & BITS["PROGRAM_STATUS"]
    assert not third.visible & (BITS["CHARGE"] | BITS["PROGRAM_STATUS"])
    assert none.visible & BITS["SYSTEM"]


def test_an_answer_names_the_epoch_and_the_policy_that_it_was_made_at(office: Office) -> None:
    answer = asked(office, a_question("prosecutor", "prosecutor", "DIVERSION_COORD"))
    with office.desk.db.read() as connection:
        assert answer.epoch == epochs.current(connection)
    assert answer.policy_version == office.desk.decider.policy.version


@pytest.mark.parametrize(
    ("role", "agency"), [("prosecutor", "police"), ("police_officer", ""), ("participant", "police")]
)
def test_a_role_that_the_agency_does_not_have_is_refused(office: Office, role: str, agency: str) -> None:
    with pytest.raises(LeadError) as refused:
        asked(office, a_question(role, agency, "DIVERSION_COORD"))
    assert refused.value.code is Code.PERMISSION_DENIED


def test_allow_and_deny_are_logged_with_every_input(office: Office) -> None:
    """AU-01."""
    office.log.start()
    taken = office.create(CASE_MANAGER, a_release())
    asked(office, a_question("prosecutor", "prosecutor", "DIVERSION_COORD"))
    asked(office, a_question("prosecutor", "other-prosecutor", "DIVERSION_COORD", subject=OTHER_SUBJECT))
    office.log.stop()
    allowed, denied = logged(office)
    assert allowed.visible & BITS["PROGRAM_STATUS"]
    assert not denied.visible & BITS["PROGRAM_STATUS"]
    assert allowed.asker == {
        "role": "prosecutor",
        "agency": "prosecutor",
        "purpose": "DIVERSION_COORD",
        "sites": ["north"],
    }
    assert allowed.record == {"subject": SUBJECT, "source": "outreach", "record": REFERRAL}
    assert allowed.consents == [{"id": taken.id, "version": 1}]
    assert (allowed.facts, denied.facts, denied.consents) == (["represented"], [], [])
    assert (allowed.request_id, allowed.policy_version) == ("req_sample", office.desk.decider.policy.version)
    assert allowed.at == office.clock.now()


def test_no_decision_is_lost_while_the_database_does_not_take_it(office: Office, tmp_path: Path) -> None:
    with office.desk.db.write() as connection:
        connection.execute(text("ALTER TABLE decisions RENAME TO away"))
    office.log.start()
    asked(office, a_question("prosecutor", "prosecutor", "DIVERSION_COORD"))
    # Whatever the writer has met by now, it goes on once the table is back.
    with office.desk.db.write() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO decisions"))
    asked(office, a_question("prosecutor", "prosecutor", "DIVERSION_COORD"))
    office.log.stop()
    assert len(logged(office)) == 2


def test_stopping_writes_what_is_queued(office: Office) -> None:
    for _ in range(600):
        asked(office, a_question("prosecutor", "prosecutor", "DIVERSION_COORD"))
    office.log.start()
    office.log.stop()
    assert len(logged(office)) == 600
