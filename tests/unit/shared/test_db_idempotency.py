from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from lead.consent.v1.consent_internal_service_pb2 import DecideRequest
from sqlalchemy import Connection, func, select

from services.shared.db import Database, idempotency, make_engine, new_metadata
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON

METADATA = new_metadata()
KEYS = idempotency.idempotency_table(METADATA)
SECRET = b"s" * 32
KEY = idempotency.key_hmac(SECRET, "springfield-pd", "/lead.referral.v1.ReferralService/SubmitReferral", "key-1")
BODY = idempotency.body_hmac(SECRET, b"body")


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    db = Database(make_engine(f"sqlite:///{tmp_path}/keys.db"))
    METADATA.create_all(db.engine)
    with db.write() as connection:
        yield connection


def test_a_repeat_finds_what_the_first_call_made(conn: Connection) -> None:
    assert idempotency.find(conn, KEYS, KEY, BODY, NOON) is None
    idempotency.remember(conn, KEYS, KEY, BODY, "ref_1", NOON)
    assert idempotency.find(conn, KEYS, KEY, BODY, NOON + timedelta(days=29)) == "ref_1"


def test_the_same_key_with_another_body_is_refused(conn: Connection) -> None:
    idempotency.remember(conn, KEYS, KEY, BODY, "ref_1", NOON)
    with pytest.raises(LeadError) as caught:
        idempotency.find(conn, KEYS, KEY, idempotency.body_hmac(SECRET, b"other"), NOON)
    assert (caught.value.code, caught.value.reason) == (Code.ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_is_free_again_after_thirty_days(conn: Connection) -> None:
    idempotency.remember(conn, KEYS, KEY, BODY, "ref_1", NOON)
    later = NOON + timedelta(days=30)
    assert idempotency.find(conn, KEYS, KEY, BODY, later) is None
    idempotency.remember(conn, KEYS, KEY, BODY, "ref_2", later)
    assert idempotency.find(conn, KEYS, KEY, BODY, later) == "ref_2"


def test_the_slower_of_two_calls_with_one_key_is_told_to_try_again(conn: Connection) -> None:
    idempotency.remember(conn, KEYS, KEY, BODY, "ref_1", NOON)
    with pytest.raises(LeadError) as caught:
        idempotency.remember(conn, KEYS, KEY, BODY, "ref_2", NOON)
    assert caught.value.code is Code.ABORTED


def test_old_keys_are_forgotten(conn: Connection) -> None:
    idempotency.remember(conn, KEYS, KEY, BODY, "ref_1", NOON)
    assert idempotency.forget(conn, KEYS, NOON + timedelta(days=29)) == 0
    assert idempotency.forget(conn, KEYS, NOON + timedelta(days=30)) == 1
    assert conn.scalar(select(func.count()).select_from(KEYS)) == 0


def test_agency_method_and_key_cannot_run_into_each_other() -> None:
    assert idempotency.key_hmac(SECRET, "a", "bc", "d") != idempotency.key_hmac(SECRET, "ab", "c", "d")
    assert idempotency.key_hmac(SECRET, "a", "b", "c") != idempotency.key_hmac(b"t" * 32, "a", "b", "c")


def test_a_request_carries_its_key_in_request_id(conn: Connection) -> None:
    request = DecideRequest(request_id="key-1")
    request.asker.agency_id = "springfield-pd"
    first = idempotency.key_of(SECRET, "springfield-pd", "Decide", request)
    assert first is not None
    first.remember(conn, KEYS, "ref_1", NOON)
    assert first.find(conn, KEYS, NOON) == "ref_1"
    request.asker.agency_id = "shelbyville-pd"
    other = idempotency.key_of(SECRET, "springfield-pd", "Decide", request)
    assert other is not None
    assert other.key == first.key
    with pytest.raises(LeadError):
        other.find(conn, KEYS, NOON)


def test_a_request_without_a_key_is_never_remembered() -> None:
    assert idempotency.key_of(SECRET, "springfield-pd", "Decide", DecideRequest()) is None
