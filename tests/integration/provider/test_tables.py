"""What lies on disk: migrations as declared, and nothing that tells what a provider knows of anybody."""

from __future__ import annotations

from pathlib import Path

from lead.provider.v1 import provider_pb2 as pb
from sqlalchemy import LargeBinary, select

from services.provider.models import ANSWERS, ATTENDANCE, ENROLMENTS, METADATA, SERVICE_REFERRALS, TOLD_PARTS
from services.shared.db import make_engine, migrations
from tests.integration.provider.house import House, a_provider
from tests.unit.provider.builders import HOUSING, TREATMENT, a_stamp

SEALED = (SERVICE_REFERRALS, ANSWERS, TOLD_PARTS, ENROLMENTS, ATTENDANCE)


def test_the_migration_makes_the_declared_tables(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'provider.db'}")
    migrations.upgrade("provider", engine)
    assert migrations.drift("provider", engine, METADATA) == []


def test_the_file_holds_no_word_of_what_is_sealed(house: House, tmp_path: Path) -> None:
    person = house.a_person()
    asked = house.asked(person)
    house.told(person)
    source = pb.EnrollmentSourceDraft(system="sample-ehr", record_id="RECORD-17")
    made = house.enrolled(service_id=None, service_referral_id=asked.id, source=source)
    house.attended(made.id, date="2026-03-01", minutes=90)
    house.update(house.get(made.id, a_provider()), status=pb.ENROLLMENT_STATUS_DISCONTINUED, end_time=a_stamp(-1))
    house.parts.db.engine.dispose()
    raw = b"".join(each.read_bytes() for each in tmp_path.glob("provider.db*"))
    for word in (b"DISCONTINUED", b"ENROLLED", b"2026-03-01", b"RECORD-17", b"sample-ehr", b"Testa", b"RECEIVED"):
        assert word not in raw


def test_what_is_sealed_has_one_length_whatever_it_says(house: House) -> None:
    for agency_id in (TREATMENT, HOUSING):
        offered = house.a_service(agency_id)
        asked = house.asked(house.a_person(releases_to=(agency_id,)), offered)
        source = pb.EnrollmentSourceDraft(system="ehr", record_id="R-1")
        caller = a_provider(agency_id)
        house.enrolled(caller, service_id=offered.id, service_referral_id=asked.id, source=source)
    with house.parts.db.read() as connection:
        column = ENROLMENTS.c.content
        raw = connection.execute(select(column.cast(LargeBinary).label("raw"))).scalars()
        lengths = {len(each) for each in raw}
    assert len(lengths) == 1


def test_whatever_is_about_somebody_is_sealed_for_every_kind_of_provider() -> None:
    for table in SEALED:
        plain = {each.name for each in table.columns if each.name != "content"}
        assert "content" in table.c
        assert not plain & {"status", "state", "started_at", "ended_at", "minutes", "day", "service_id", "record_id"}
