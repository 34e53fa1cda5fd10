"""Comparisons: registered once, told to casework sealed, and no name of the index event kept here."""

from __future__ import annotations

from typing import Any

import pytest
from lead.outcomes.v1 import outcomes_pb2 as pb
from lead.outcomes.v1 import outcomes_service_pb2 as service
from lead.outcomes.v1.outcomes_events_pb2 import ComparisonRegistered
from sqlalchemy import func, select, text

from services.outcomes.models import ENTRIES
from services.shared.errors import Code, LeadError
from services.shared.ids import is_id
from services.shared.sharing.assertion import Caller
from tests.integration.outcomes.bureau import MANAGER, OFFICE, POLICE, RESEARCHER, SITE, Bureau

_RECORD = "Canary-7720"


def _request(**changes: Any) -> service.CreateEvaluationEntryRequest:
    index = pb.IndexEvent(agency_id=POLICE, system="rms", record_id=changes.pop("record_id", _RECORD))
    whole = {"site_id": SITE, "arm": pb.ARM_COMPARISON, "index_event": index, **changes}
    return service.CreateEvaluationEntryRequest(**whole)


def _create(bureau: Bureau, caller: Caller = MANAGER, **changes: Any) -> pb.EvaluationEntry:
    with bureau.calling(caller):
        return bureau.servicer.CreateEvaluationEntry(_request(**changes), None).entry  # type: ignore[no-any-return]


def _count(bureau: Bureau) -> int:
    with bureau.db.read() as connection:
        return connection.execute(select(func.count()).select_from(ENTRIES)).scalar_one()


def test_an_entry_is_its_registrants_own_record(bureau: Bureau) -> None:
    entry = _create(bureau)
    assert is_id(entry.id, "eve")
    assert (entry.reference.source_agency_id, entry.reference.record_id) == (OFFICE, entry.id)
    assert is_id(entry.reference.subject_id, "sub")
    assert (entry.site_id, entry.arm, entry.index_event.record_id) == (SITE, pb.ARM_COMPARISON, _RECORD)
    assert entry.create_time.ToDatetime() == bureau.clock.now().replace(tzinfo=None)


def test_casework_is_told_which_arrest_it_was(bureau: Bureau) -> None:
    entry = _create(bureau)
    (fact,) = bureau.facts
    assert isinstance(fact.message, ComparisonRegistered)
    assert (fact.message.agency_id, fact.message.system, fact.message.record_id) == (POLICE, "rms", _RECORD)
    assert (fact.record_id, fact.source_agency_id, fact.version) == (entry.id, OFFICE, 1)


def test_the_name_of_the_index_event_is_not_kept(bureau: Bureau) -> None:
    _create(bureau)
    with bureau.db.read() as connection:
        names = connection.execute(text("select name from sqlite_master where type = 'table'")).scalars().all()
        rows = [repr(row) for name in names for row in connection.execute(text(f'select * from "{name}"'))]  # noqa: S608
    assert not [row for row in rows if _RECORD in row]


def test_the_same_call_again_gives_the_same_entry(bureau: Bureau) -> None:
    first = _create(bureau, request_id="key-1")
    again = _create(bureau, request_id="key-1")
    assert again == first
    assert len(bureau.facts) == _count(bureau) == 1


def test_a_key_with_another_body_is_refused(bureau: Bureau) -> None:
    _create(bureau, request_id="key-1")
    with pytest.raises(LeadError) as refused:
        _create(bureau, request_id="key-1", record_id="B-2")
    assert (refused.value.code, refused.value.reason) == (Code.ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED")


def test_the_same_arrest_is_registered_once_without_a_key_too(bureau: Bureau) -> None:
    assert _create(bureau).id == _create(bureau).id
    assert _create(bureau, record_id="B-2").id != _create(bureau).id
    assert _count(bureau) == 2


def test_an_arrest_does_not_change_its_arm(bureau: Bureau) -> None:
    _create(bureau)
    with pytest.raises(LeadError) as refused:
        _create(bureau, arm=pb.ARM_CONTROL)
    assert (refused.value.code, refused.value.reason) == (Code.ALREADY_EXISTS, "ENTRY_REGISTERED")


def test_two_agencies_register_for_themselves(bureau: Bureau) -> None:
    assert _create(bureau, MANAGER).id != _create(bureau, RESEARCHER).id


def test_an_agency_that_reports_nothing_cannot_have_the_index_event(bureau: Bureau) -> None:
    with pytest.raises(LeadError) as refused:
        _create(bureau, index_event=pb.IndexEvent(agency_id=OFFICE, system="rms", record_id="A-1"))
    assert [each.path for each in refused.value.violations] == ["indexEvent.agencyId"]
