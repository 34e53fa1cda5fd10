"""Redaction, rule by rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from lead.casework.v1 import casework_pb2, casework_service_pb2
from lead.options.v1 import options_pb2, words_pb2
from lead.referral.v1 import referral_pb2, referral_service_pb2
from lead.review.v1 import review_pb2, review_service_pb2

from gateway.redact import NO_RECORD, Key, View, lost_record, present_records, redact, references, shown, single_records
from services.shared import labels
from services.shared.sharing.need import BITS, mask

EVERYTHING = sum(BITS.values())
POLICE: Key = ("sub_1", "police", "ref_1")
OFFICE: Key = ("sub_1", "prosecutor", "ref_1")
CARE: Key = ("sub_2", "outreach", "ref_1")
PACKAGE = "leadx.redacted.v1"


def a_reference(key: Key) -> options_pb2.Reference:
    return options_pb2.Reference(subject_id=key[0], source_agency_id=key[1], record_id=key[2])


def seeing(*words: str, **by_key: View) -> Callable[[Key], View]:
    """These categories of every police record, facts of the exchange aside."""
    view = View(mask((*words, "SYSTEM")), "police", "NO")
    return lambda key: by_key.get(key[1], view)


def a_referral(**fields: Any) -> referral_service_pb2.GetReferralResponse:
    referral = referral_pb2.Referral(reference=a_reference(POLICE), id="ref_1", **fields)
    return referral_service_pb2.GetReferralResponse(referral=referral)


def test_a_record_whose_row_category_is_hidden_is_removed_whole() -> None:
    answer = a_referral(person=referral_pb2.Person(given_name="Testa"))
    redact(answer, seeing("IDENTITY"))
    assert not answer.HasField("referral")


def test_a_field_is_cleared_unless_its_own_category_is_visible() -> None:
    answer = a_referral(person=referral_pb2.Person(given_name="Testa"), narrative="canary")
    redact(answer, seeing("REFERRAL", "IDENTITY"))
    assert (answer.referral.id, answer.referral.person.given_name) == ("ref_1", "Testa")
    assert not answer.referral.HasField("narrative")


def test_a_sub_message_that_is_emptied_is_pruned() -> None:
    answer = a_referral(
        person=referral_pb2.Person(given_name="Testa", local_ids=[referral_pb2.LocalId(id="1")]),
        charges=[referral_pb2.Charge(id="chg_1"), referral_pb2.Charge(id="chg_2")],
    )
    redact(answer, seeing("REFERRAL"))
    assert not answer.referral.HasField("person")
    assert not answer.referral.charges


def test_a_nested_record_stands_on_its_own_source() -> None:
    decision = referral_pb2.ChargeDecision(reference=a_reference(OFFICE), value="FILE")
    answer = a_referral(charges=[referral_pb2.Charge(id="chg_1", decision=decision)])
    hidden = View(0, "prosecutor", "NO")
    redact(answer, seeing("REFERRAL", "CHARGE", "DECISION", prosecutor=hidden))
    [charge] = answer.referral.charges
    assert (charge.id, charge.HasField("decision")) == ("chg_1", False)


def test_a_nested_record_that_may_be_seen_does_not_bring_a_hidden_one_along() -> None:
    decision = referral_pb2.ChargeDecision(reference=a_reference(OFFICE), value="FILE")
    answer = a_referral(charges=[referral_pb2.Charge(id="chg_1", decision=decision)])
    redact(answer, seeing("DECISION", prosecutor=View(EVERYTHING, "prosecutor", "NO")))
    assert not answer.HasField("referral")


@pytest.mark.parametrize("part2", ["YES", "UNKNOWN", "UNSPECIFIED", ""])
def test_a_part_2_source_needs_presence_as_well(part2: str) -> None:
    """Matrix, need set: anything from such a source says that someone is its patient."""
    answer = casework_service_pb2.GetParticipantResponse(
        participant=casework_pb2.Participant(reference=a_reference(CARE), id="par_1", needs=[casework_pb2.NEED_HOUSING])
    )
    open_, closed = mask(["IDENTITY", "NEEDS", "SUD_PRESENCE"]), mask(["IDENTITY", "NEEDS"])
    for visible, remains in ((closed, False), (open_, True)):
        rest = casework_service_pb2.GetParticipantResponse()
        rest.CopyFrom(answer)
        redact(rest, lambda _, visible=visible: View(visible, "case_management", part2))  # type: ignore[misc]
        assert rest.HasField("participant") is remains


def test_a_name_stands_on_a_record_that_may_be_seen() -> None:
    """Row 40."""
    answer = a_referral(officer=referral_pb2.Officer(name="Officer Testa"))
    redact(answer, seeing("STAFF", "REFERRAL"))
    assert answer.referral.officer.name == "Officer Testa"
    redact(answer, seeing("STAFF"))
    assert not answer.HasField("referral")


@pytest.mark.parametrize(
    ("quotes", "remains"),
    [
        (words_pb2.CATEGORY_CHARGE, True),
        (words_pb2.CATEGORY_OFFICER_NARRATIVE, False),
        (words_pb2.CATEGORY_UNSPECIFIED, False),
        (99, False),
        (-1, False),
        (2**31 - 1, False),
    ],
)
def test_what_quotes_a_fact_has_the_category_of_the_fact(quotes: int, remains: bool) -> None:
    reason = referral_pb2.Reason(rule="RULE", text="canary")
    reason.MergeFromString(b"\x10" + _varint(quotes))
    answer = a_referral(screening=referral_pb2.Screening(reasons=[reason]))
    redact(answer, seeing("REFERRAL", "ELIGIBILITY", "CHARGE"))
    [kept] = answer.referral.screening.reasons
    assert (kept.rule, kept.HasField("text")) == ("RULE", remains)


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def test_what_quotes_nothing_is_hidden() -> None:
    answer = a_referral(screening=referral_pb2.Screening(reasons=[referral_pb2.Reason(rule="RULE", text="canary")]))
    redact(answer, seeing(*BITS))
    assert not answer.referral.screening.reasons[0].HasField("text")


CONFIRMED = review_pb2.ReceivedConfirmation(reference=a_reference(CARE))
CONFIRMED.intake_confirmed_time.seconds = 1


@pytest.mark.parametrize(
    "care",
    [
        View(0, "case_management", "NO"),
        View(mask(["PROGRAM_STATUS"]), "case_management", "YES"),
        View(mask(["SUD_PRESENCE"]), "case_management", "YES"),
        View(0, "none", "UNKNOWN"),
    ],
)
def test_no_confirmation_reads_the_same_whether_it_is_absent_or_withheld(care: View) -> None:
    """Row 15."""
    answers = []
    for confirmation in (None, review_pb2.ReceivedConfirmation(), CONFIRMED):
        review = review_pb2.Review(reference=a_reference(OFFICE), id="rev_1", confirmation=confirmation)
        answer = review_service_pb2.GetReviewResponse(review=review)
        redact(answer, seeing("DECISION", outreach=care))
        answers.append(answer.SerializeToString(deterministic=True))
    assert len(set(answers)) == 1
    assert b"no confirmation received" in answers[0]


def test_a_confirmation_that_may_be_seen_has_no_words_beside_it() -> None:
    review = review_pb2.Review(reference=a_reference(OFFICE), id="rev_1", confirmation=CONFIRMED)
    review.confirmation_absent = "no confirmation received"
    answer = review_service_pb2.GetReviewResponse(review=review)
    care = View(mask(["PROGRAM_STATUS", "SUD_PRESENCE"]), "case_management", "YES")
    redact(answer, seeing("DECISION", outreach=care))
    assert answer.review.confirmation.intake_confirmed_time.seconds == 1
    assert not answer.review.HasField("confirmation_absent")


def test_an_area_does_not_put_words_into_the_gateways_mouth() -> None:
    review = review_pb2.Review(reference=a_reference(OFFICE), id="rev_1", confirmation_absent="canary")
    answer = review_service_pb2.GetReviewResponse(review=review)
    redact(answer, seeing("DECISION"))
    assert answer.review.confirmation_absent == "no confirmation received"


def test_references_are_found_at_every_depth_and_only_those_of_records() -> None:
    decision = referral_pb2.ChargeDecision(reference=a_reference(OFFICE), value="FILE")
    answer = a_referral(
        charges=[referral_pb2.Charge(decision=decision), referral_pb2.Charge()],
        confirmation=referral_pb2.Confirmation(reference=a_reference(CARE)),
    )
    assert sorted(references(answer)) == sorted([POLICE, OFFICE, CARE])
    assert list(references(referral_service_pb2.GetReferralResponse())) == []


def test_a_record_without_a_reference_is_asked_about_as_nobodys() -> None:
    answer = referral_service_pb2.GetReferralResponse(referral=referral_pb2.Referral(id="ref_1"))
    assert list(references(answer)) == [NO_RECORD]


def test_a_single_record_that_is_lost_is_told_from_one_that_was_never_there() -> None:
    answer = a_referral()
    assert single_records(answer.DESCRIPTOR) == ("referral",)
    before = present_records(answer)
    redact(answer, seeing())
    assert lost_record(answer.DESCRIPTOR, before, answer)
    empty = referral_service_pb2.GetReferralResponse()
    assert not lost_record(empty.DESCRIPTOR, present_records(empty), empty)
    kept = a_referral()
    redact(kept, seeing("REFERRAL"))
    assert not lost_record(kept.DESCRIPTOR, before, kept)
    assert single_records(referral_service_pb2.ListReferralsResponse.DESCRIPTOR) == ()


def test_shown_are_the_labels_whose_need_is_met() -> None:
    def words(visible: tuple[str, ...], row: str, kind: str, part2: str) -> set[str]:
        bits = shown(mask(visible), BITS[row].bit_length() - 1, kind, part2)
        return {word for word, bit in BITS.items() if bits & bit}

    assert words(("REFERRAL", "STAFF"), "REFERRAL", "police", "NO") == {"REFERRAL", "STAFF"}
    assert words(("REFERRAL",), "REFERRAL", "police", "YES") == {"REFERRAL"}
    assert words(("REFERRAL",), "REFERRAL", "housing", "UNKNOWN") == set()
    assert words(("SYSTEM",), "REFERRAL", "housing", "UNKNOWN") == {"SYSTEM"}
    assert shown(EVERYTHING, 99, "police", "NO") == shown(EVERYTHING, 0, "police", "NO")
    assert shown(EVERYTHING, 1, "nowhere", "NO") == 0


# A contract that leaves things unsaid.


@cache
def declared() -> dict[str, Any]:
    """Messages that no review would let pass."""
    text = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    file = descriptor_pb2.FileDescriptorProto(name="leadx/redacted/v1/redacted.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append("lead/options/v1/options.proto")
    careless = file.message_type.add(name="Careless")
    careless.field.add(name="unlabelled", number=1, type=text, label=1)
    labelled = careless.field.add(name="labelled", number=2, type=text, label=1)
    labelled.options.Extensions[options_pb2.category] = words_pb2.CATEGORY_SYSTEM
    careless.field.add(name="raw", number=3, type=descriptor_pb2.FieldDescriptorProto.TYPE_BYTES, label=1)
    orphan = file.message_type.add(name="Orphan")
    orphan.options.Extensions[options_pb2.person_record].row_category = words_pb2.CATEGORY_REFERRAL
    orphan.field.add(name="id", number=1, type=text, label=1)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    names = ("Careless", "Orphan")
    found = [descriptor_pool.Default().FindMessageTypeByName(f"{PACKAGE}.{name}") for name in names]
    return {name: GetMessageClass(one) for name, one in zip(names, found, strict=True)}


def test_what_is_not_labelled_is_never_shown() -> None:
    message = declared()["Careless"](unlabelled="canary", labelled="kept", raw=b"canary")
    redact(message, lambda _: View(EVERYTHING, "none", "NO"))
    assert message == declared()["Careless"](labelled="kept")


def test_a_record_about_a_person_that_names_none_is_refused() -> None:
    with pytest.raises(labels.ContractError, match="Orphan"):
        redact(declared()["Orphan"](id="1"), lambda _: View(EVERYTHING, "none", "NO"))
