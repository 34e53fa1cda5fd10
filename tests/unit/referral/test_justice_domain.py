from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import justice_pb2 as pb

from services.referral.incident_key import Keyed
from services.referral.justice import convert
from services.referral.justice.domain import Held, Sent, planned
from services.referral.justice.handlers import Row, batches
from tests.unit.referral.builders import Mint
from tests.unit.referral.justice_builders import a_deletion, an_event

KEYED = Keyed(b"k" * 32)
AGENCY = "sample-police"


def a_sent(version: int = 1, body: bytes = b"a", *, is_gone: bool = False) -> Sent:
    return Sent(key=b"k", version=version, digest=body, is_gone=is_gone)


def story(*sent: Sent) -> list[str]:
    held: Held | None = None
    told, mint = [], Mint()
    for each in sent:
        plan = planned(held, each, mint)
        told.append(plan.outcome)
        held = plan.after
    return told


def test_a_record_is_created_once_and_replaced_by_higher_versions() -> None:
    assert story(a_sent(1), a_sent(1), a_sent(3, b"b"), a_sent(2, b"c")) == [
        "CREATED",
        "UNCHANGED",
        "REPLACED",
        "STALE",
    ]


def test_the_same_version_with_another_body_is_refused() -> None:
    assert story(a_sent(1), a_sent(1, b"b")) == ["CREATED", "VERSION_REUSED"]


def test_a_deletion_takes_back_what_stands_and_nothing_newer() -> None:
    assert story(a_sent(3), a_sent(2, is_gone=True), a_sent(0, is_gone=True), a_sent(0, is_gone=True)) == [
        "CREATED",
        "STALE",
        "WITHDRAWN",
        "UNCHANGED",
    ]


def test_what_was_never_sent_cannot_be_taken_back() -> None:
    assert story(a_sent(0, is_gone=True)) == ["UNKNOWN_RECORD"]


def test_a_record_that_was_taken_back_comes_again_with_a_higher_version() -> None:
    gone = a_sent(2, is_gone=True)
    assert story(a_sent(1), gone, a_sent(2, b"b"), a_sent(3)) == ["CREATED", "WITHDRAWN", "VERSION_REUSED", "REPLACED"]


_SENT = st.builds(
    lambda version, body, is_gone: a_sent(version, body, is_gone=is_gone),
    st.integers(0, 4),
    st.sampled_from([b"a", b"b"]),
    st.booleans(),
)


@given(st.lists(_SENT, max_size=12))
def test_versions_never_go_back_and_each_change_counts(sent: list[Sent]) -> None:
    held: Held | None = None
    mint = Mint()
    for each in sent:
        plan = planned(held, each, mint)
        assert plan.changes == (plan.outcome in {"CREATED", "REPLACED", "WITHDRAWN"})
        if held is not None and plan.after is not None:
            assert plan.after.version >= held.version
            assert plan.after.revision == held.revision + plan.changes
            assert (plan.after.id, plan.after.subject_id) == (held.id, held.subject_id)
            again = planned(plan.after, each, mint)
            assert not again.changes
        held = plan.after


def test_whoever_is_reported_is_on_a_subject_of_his_own() -> None:
    mint = Mint()
    one, other = (planned(None, a_sent(), mint).after for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.subject_id != other.subject_id


def test_what_is_kept_holds_nothing_of_what_was_said() -> None:
    sent = convert.sent_from_wire(an_event(), AGENCY, KEYED)
    for text in (b"Testa", b"Sample", b"1990", b"L-77", b"26-000123", b"sample-rms", b"A-1"):
        assert text not in sent.key + sent.digest
    assert (len(sent.key), len(sent.digest)) == (32, 32)


def test_saying_the_usual_action_changes_nothing() -> None:
    silent, said = an_event(), an_event()
    said.action = pb.JUSTICE_ACTION_UPSERT
    assert convert.sent_from_wire(silent, AGENCY, KEYED) == convert.sent_from_wire(said, AGENCY, KEYED)


def test_digests_are_of_one_agency_and_one_area() -> None:
    base = convert.sent_from_wire(an_event(), AGENCY, KEYED)
    elsewhere = convert.sent_from_wire(an_event(), "sample-jail", KEYED)
    otherwise = convert.sent_from_wire(an_event(), AGENCY, Keyed(b"j" * 32))
    assert len({base.key, elsewhere.key, otherwise.key}) == len({base.digest, elsewhere.digest, otherwise.digest}) == 3


def test_a_withdrawal_says_nothing_of_the_person() -> None:
    told = convert.reported(a_deletion(), AGENCY, ["seattle"], KEYED)
    assert told.withdrawn
    assert {field.name for field, _ in told.ListFields()} == {
        "source_system",
        "source_record_id",
        "withdrawn",
        "site_ids",
    }


def test_the_incident_of_an_event_is_the_incident_of_a_referral_and_its_booking_is_another_thing() -> None:
    told = convert.reported(an_event(booking_number="26-000123"), AGENCY, [], KEYED)
    assert told.incident_key == KEYED.incident(AGENCY, " 26-000123")
    assert told.booking_key != told.incident_key
    assert len(told.incident_key) == 64
    assert KEYED.incident(AGENCY, "") == ""


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_two_records_share_a_key_only_if_they_are_one(a: str, b: str, c: str, d: str) -> None:
    assert (KEYED.record(AGENCY, a, b) == KEYED.record(AGENCY, c, d)) is ((a, b) == (c, d))


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=40), st.integers(1, 6))
def test_groups_keep_the_order_and_hold_no_key_twice(keys: list[int | None], most: int) -> None:
    draft = an_event()
    rows = [Row(draft, None if key is None else Sent(key=bytes([key]), version=1)) for key in keys]
    cut = list(batches(rows, most))
    assert [row for batch in cut for row in batch] == rows
    for batch in cut:
        held = [row.sent.key for row in batch if row.sent is not None]
        assert len(held) == len(set(held))
        assert 0 < len(batch) <= most
