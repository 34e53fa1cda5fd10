from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from lead.options.v1 import options_pb2, words_pb2
from lead.referral.v1 import referral_pb2 as pb

from services.shared.changes import Changes, categories, differing
from services.shared.labels import category, is_leaf
from services.shared.wire import stamp

THEN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = THEN + timedelta(hours=1)
REFERRAL = pb.Referral.DESCRIPTOR
OWN = categories(REFERRAL)
PARTS = ("contact", "victim", "officer", "charges", "narrative", "person")


def a_referral() -> pb.Referral:
    """Something in every category that a referral has."""
    return pb.Referral(
        reference=options_pb2.Reference(subject_id="sub_1", record_id="ref_1"),
        id="ref_1",
        person=pb.Person(given_name="Testa", local_ids=[pb.LocalId(agency_id="sample-police", id="L")]),
        contact=pb.Contact(phones=["+1 206 555 0100"]),
        charges=[
            pb.Charge(
                id="chg_1",
                statute="RCW 1",
                decision=pb.ChargeDecision(value="FILE"),
                substances=[pb.Substance(drug="x")],
            ),
            pb.Charge(id="chg_2"),
        ],
        officer=pb.Officer(name="Officer Probe Sample"),
        observations=[pb.Observation(name="amenable")],
        victim=pb.VictimOfOffence(present=False),
        screening=pb.Screening(
            result=pb.SCREENING_RESULT_ELIGIBLE,
            reasons=[
                pb.Reason(rule="age", quotes=words_pb2.CATEGORY_IDENTITY, text="born 1990"),
                pb.Reason(rule="amount", quotes=words_pb2.CATEGORY_CHARGE, text="1.5 g"),
            ],
        ),
        confirmation=pb.Confirmation(intake_confirmed_time=stamp(THEN)),
        confirmation_absent="no confirmation received",
        state=pb.REFERRAL_STATE_SUBMITTED,
        update_time=stamp(THEN),
        etag="e1",
    )


def leaves(message: Message, wanted: int) -> list[tuple[Any, Any]]:
    """The single text and enum leaves of one category that are set: (message, field)."""
    found: list[tuple[Any, Any]] = []
    for field, value in message.ListFields():
        name = field.name
        if name in {"reference", "decision", "confirmation", "etag", "update_time"}:
            continue
        if not is_leaf(field):
            found += [each for one in (value if field.is_repeated else (value,)) for each in leaves(one, wanted)]
        elif category(field) == wanted and not field.is_repeated and field.type == field.TYPE_STRING:
            found.append((message, field))
    return found


@given(st.data())
def test_a_change_in_one_category_moves_that_ones_time_alone(data: st.DataObject) -> None:
    before, after = a_referral(), a_referral()
    number = data.draw(st.sampled_from([each for each in OWN if leaves(before, each)]))
    message, field = data.draw(st.sampled_from(leaves(after, number)))
    text = data.draw(st.text(max_size=5).filter(lambda text: text != getattr(message, field.name)))
    setattr(message, field.name, text)
    assert differing(before, after) == differing(after, before) == {number}
    moved = Changes(THEN).moved(before, after, LATER).to_wire(REFERRAL)
    assert {each.category for each in moved if each.time == stamp(LATER)} == {number}
    assert {each.category for each in moved} == set(OWN)


@given(
    st.lists(st.sets(st.sampled_from(["contact", "victim", "officer", "charges", "narrative", "person"])), max_size=6)
)
def test_a_category_has_the_time_of_the_last_change_in_it(steps: list[set[str]]) -> None:
    one, changes = a_referral(), Changes(THEN)
    last: dict[int, datetime] = {}
    for number, fields in enumerate(steps, 1):
        other, at = pb.Referral.FromString(one.SerializeToString()), THEN + timedelta(minutes=number)
        for name in fields:
            if name == "narrative":
                other.narrative = f"told {number}"
            elif name == "charges":
                other.charges.add(id=f"chg_{number}x")
            else:
                touched = {"contact": "address", "victim": "restitution", "officer": "unit", "person": "family_name"}
                setattr(getattr(other, name), touched[name], str(number))
        last.update(dict.fromkeys(differing(one, other), at))
        changes, one = changes.moved(one, other, at), other
    assert changes == Changes(THEN, last)
    assert len(last) == len(set().union(*steps))


def test_what_stands_beside_or_only_tells_of_a_change_is_none() -> None:
    before, after = a_referral(), a_referral()
    after.etag, after.update_time.seconds = "e2", 1
    after.reference.changes.add(category=words_pb2.CATEGORY_IDENTITY)
    after.charges[0].decision.value = "DIVERT_CONFIRM"
    after.confirmation.Clear()
    after.confirmation_absent = "something else"
    assert differing(before, after) == frozenset()


def test_a_quoted_fact_is_of_the_category_that_it_quotes() -> None:
    before, after = a_referral(), a_referral()
    after.screening.reasons[0].text = "born 1991"
    assert differing(before, after) == {words_pb2.CATEGORY_IDENTITY}


def test_an_element_that_says_nothing_of_a_category_is_no_change_of_it() -> None:
    before, after = a_referral(), a_referral()
    after.screening.reasons.insert(0, pb.Reason(rule="residency"))
    assert differing(before, after) == {words_pb2.CATEGORY_ELIGIBILITY}


def test_what_is_taken_away_has_changed() -> None:
    before, after = a_referral(), a_referral()
    after.ClearField("contact")
    assert differing(before, after) == {words_pb2.CATEGORY_CONTACT_LOCATION}


def test_what_swaps_places_between_elements_has_changed() -> None:
    before, after = pb.Referral(), pb.Referral()
    before.charges.add(statute="A", offense_code="X")
    after.charges.add(statute="A")
    after.charges.add(offense_code="X")
    assert differing(before, after) == {words_pb2.CATEGORY_CHARGE}


def test_times_lie_beside_one_version_and_come_back() -> None:
    changes = Changes(THEN, {words_pb2.CATEGORY_CHARGE: LATER})
    assert Changes.from_json(changes.to_json(3), 3, LATER) == changes


def test_what_an_older_release_wrote_has_changed_as_a_whole() -> None:
    changes = Changes(THEN)
    assert Changes.from_json(None, 1, LATER) == Changes.from_json(changes.to_json(3), 4, LATER) == Changes(LATER)


def test_a_record_of_one_category_has_one_time() -> None:
    assert categories(pb.ChargeDecision.DESCRIPTOR) == (words_pb2.CATEGORY_DECISION,)
    assert words_pb2.CATEGORY_DECISION not in OWN
