"""Between the wire, the stored row and the domain: nothing is lost, and a recipient learns of no other recipient."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.consent.v1 import consent_pb2 as wire
from lead.options.v1 import options_pb2, words_pb2

from services.consent import convert
from services.consent.decide import Record
from services.consent.domain import Draft, Intermediary, Signature, Statements
from services.consent.policy.facts import Fact
from services.consent.registry import Account, Agency
from services.consent.stored import draft_from_json, draft_to_json
from services.shared.labels import words
from services.shared.sharing.need import BITS
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    AGENCIES,
    DAY,
    SUBJECT,
    a_consent,
    a_draft,
    a_registry,
    a_revocation,
    about,
    an_agreement,
    an_approval,
    an_asker,
    decided,
)

_IDS = st.lists(st.sampled_from(["police", "clinic", "housing"]), max_size=3).map(tuple)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_TIMES = st.one_of(st.none(), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001

drafts = st.builds(
    Draft,
    st.sampled_from(["NAMED", "TPO", "RESEARCH", "CJ_REFERRAL", ""]),
    _IDS,
    _IDS,
    st.builds(Intermediary, _TEXTS, _IDS, st.booleans()),
    st.lists(st.sampled_from(sorted(BITS)), max_size=4).map(tuple),
    st.lists(st.sampled_from(["CAREMGT", "TREAT", "DIVERSION_COORD"]), max_size=3).map(tuple),
    _TIMES,
    _TIMES,
    _TEXTS,
    st.builds(Statements, st.booleans(), st.booleans(), st.booleans()),
    st.builds(Signature, _TEXTS, _TEXTS, _TEXTS),
)


def on_the_wire(draft: Draft) -> wire.ConsentDraft:
    """A draft as a client writes it."""
    message = wire.ConsentDraft(
        type=wire.ConsentType.Value(f"CONSENT_TYPE_{draft.type or 'UNSPECIFIED'}"),
        source_agency_ids=draft.source_agency_ids,
        recipient_agency_ids=draft.recipient_agency_ids,
        intermediary=wire.Intermediary(**asdict(draft.intermediary)),
        categories=[words_pb2.Category.Value(f"CATEGORY_{one}") for one in draft.categories],
        purposes=[words_pb2.Purpose.Value(f"PURPOSE_{one}") for one in draft.purposes],
        expire_event=draft.expire_event,
        statements=wire.Statements(**asdict(draft.statements)),
        signature=wire.Signature(**asdict(draft.signature)),
    )
    for name, at in (("signed_time", draft.signed_at), ("expire_time", draft.expires_at)):
        if at is not None:
            getattr(message, name).FromDatetime(at)
    return message


@given(drafts)
def test_a_draft_comes_from_the_wire_as_it_was_written(draft: Draft) -> None:
    assert convert.draft_from_wire(on_the_wire(draft)) == draft


@given(drafts)
def test_a_draft_comes_out_of_its_row_as_it_was_signed(draft: Draft) -> None:
    assert draft_from_json(draft_to_json(draft)) == draft


def test_an_empty_draft_is_read_as_one_that_says_nothing() -> None:
    assert convert.draft_from_wire(wire.ConsentDraft()) == Draft()


def test_words_that_the_contract_does_not_have_become_words_that_nothing_grants() -> None:
    message = wire.ConsentDraft()
    message.MergeFromString(bytes([8, 99, 42, 1, 99, 50, 1, 99]))
    draft = convert.draft_from_wire(message)
    assert (draft.type, draft.categories, draft.purposes) == ("UNKNOWN", ("UNKNOWN",), ("UNKNOWN",))
    assert convert.category_words([99, 0]) == ("UNKNOWN", "UNSPECIFIED")
    assert not {"UNKNOWN", "UNSPECIFIED"} & set(BITS)


RELEASE = a_consent(
    recipient_agency_ids=("prosecutor", "clinic", "housing"),
    intermediary=Intermediary("office", ("clinic", "housing"), treating_providers=False),
    revocations=[a_revocation(["housing"]), a_revocation(["clinic", "housing"], ["NEEDS"])],
)


def test_who_may_know_all_sees_the_whole_release() -> None:
    """Row 31: the taking agency, and the person himself."""
    message = convert.consent_to_wire(RELEASE, SUBJECT, NOON)
    assert message.reference == options_pb2.Reference(
        subject_id=SUBJECT, source_agency_id="outreach", record_id="con_1"
    )
    assert list(message.recipient_agency_ids) == ["prosecutor", "clinic", "housing"]
    assert list(message.intermediary.member_agency_ids) == ["clinic", "housing"]
    assert [list(one.recipient_agency_ids) for one in message.revocations] == [["housing"], ["clinic", "housing"]]
    assert (message.version, message.state) == (3, wire.CONSENT_STATE_ACTIVE)
    assert message.expire_time.ToDatetime(UTC) == NOON + 30 * DAY
    assert message.type == wire.CONSENT_TYPE_NAMED
    assert message.signature.signer_name == "Testa Sample"


@pytest.mark.parametrize("reader", ["prosecutor", "clinic", "housing"])
def test_a_named_recipient_learns_of_no_other(reader: str) -> None:
    """Row 31: scope only; other recipients hidden."""
    message = convert.consent_to_wire(RELEASE, SUBJECT, NOON, reader)
    assert list(message.recipient_agency_ids) == [reader]
    hidden = {"prosecutor", "clinic", "housing"} - {reader}
    assert not any(other.encode() in message.SerializeToString() for other in hidden)


def test_a_revocation_for_another_recipient_is_none_of_this_ones_business() -> None:
    """Told without its recipients it would read as if everything had been taken back."""
    assert not convert.consent_to_wire(RELEASE, SUBJECT, NOON, "prosecutor").revocations
    [mine] = convert.consent_to_wire(RELEASE, SUBJECT, NOON, "clinic").revocations
    assert (list(mine.recipient_agency_ids), words(1 << mine.categories[0])) == (["clinic"], ("NEEDS",))


def test_a_revocation_for_everybody_is_told_to_everybody() -> None:
    whole = RELEASE.revoked(a_revocation(at=NOON))
    [mine] = convert.consent_to_wire(whole, SUBJECT, NOON, "prosecutor").revocations
    assert (list(mine.recipient_agency_ids), mine.effective_time.ToDatetime(UTC)) == ([], NOON)


@pytest.mark.parametrize(("reader", "state"), [("housing", "REVOKED"), ("clinic", "ACTIVE"), ("", "ACTIVE")])
def test_the_state_is_that_of_the_release_for_its_reader(reader: str, state: str) -> None:
    message = convert.consent_to_wire(RELEASE, SUBJECT, NOON, reader)
    assert wire.ConsentState.Name(message.state) == f"CONSENT_STATE_{state}"


@pytest.mark.parametrize("agency", AGENCIES.values(), ids=lambda agency: agency.agency_id)
def test_an_agency_goes_out_as_the_registry_has_it(agency: Agency) -> None:
    message = convert.agency_to_wire(agency)
    assert (message.id, message.name) == (agency.agency_id, agency.name)
    assert words_pb2.AgencyKind.Name(message.kind) == f"AGENCY_KIND_{agency.kind.upper()}"
    assert words_pb2.Part2Program.Name(message.part2_program) == f"PART2_PROGRAM_{agency.part2}"
    assert words_pb2.Hipaa.Name(message.hipaa) == f"HIPAA_{agency.hipaa}"
    assert (tuple(message.oris), tuple(message.site_ids)) == (agency.oris, agency.site_ids)


def test_an_agreement_goes_out_with_its_times() -> None:
    message = convert.agreement_to_wire(an_agreement("police", "clinic", until_at=NOON))
    assert list(message.agency_ids) == ["clinic", "police"]
    assert message.until_time.ToDatetime(UTC) == NOON
    assert not convert.agreement_to_wire(an_agreement()).HasField("until_time")


def test_an_account_goes_out_with_its_owner_and_its_end() -> None:
    account = Account("acc_1", "police", ("police_officer", "police_rms"), "Officer Testa", NOON, disabled=True)
    message = convert.account_to_wire(account)
    assert [words_pb2.Role.Name(one) for one in message.roles] == ["ROLE_POLICE_OFFICER", "ROLE_POLICE_RMS"]
    assert (message.disabled, message.owner, message.expire_time.ToDatetime(UTC)) == (True, "Officer Testa", NOON)
    assert not convert.account_to_wire(Account("acc_1", "police", ())).HasField("expire_time")


def test_an_asker_comes_in_with_the_role_that_the_registry_gives_him() -> None:
    message = internal.Asker(
        account_id="acc_1",
        agency_id="prosecutor",
        role=words_pb2.ROLE_POLICE_OFFICER,
        purpose=words_pb2.PURPOSE_DIVERSION_COORD,
        site_ids=["north"],
    )
    assert convert.asker_from_wire(message, "prosecutor") == an_asker("prosecutor", "DIVERSION_COORD")
    unknown = internal.Asker()
    unknown.MergeFromString(bytes([32, 99]))
    assert convert.asker_from_wire(unknown, "prosecutor").purpose == "UNKNOWN"


def test_a_record_comes_in_as_it_was_named() -> None:
    reference = options_pb2.Reference(subject_id=SUBJECT, source_agency_id="police", record_id="ref_1")
    assert convert.record_from_wire(reference) == Record(SUBJECT, "police", "ref_1")


def test_a_statement_comes_in_with_its_times_or_without() -> None:
    stamp = convert.time_to_wire(NOON)
    said = internal.ScopeStatement(
        fact=internal.SCOPE_FACT_DISPATCHED,
        subject_id=SUBJECT,
        record_id="hof_1",
        agency_id="outreach",
        from_time=stamp,
        until_time=stamp,
        closed=True,
        version=4,
    )
    fact = convert.fact_from_wire(said)
    assert (fact.fact, fact.from_at, fact.until_at, fact.closed, fact.version) == ("DISPATCHED", NOON, NOON, True, 4)
    bare = convert.fact_from_wire(internal.ScopeStatement(fact=internal.SCOPE_FACT_SITE, site_id="north"))
    assert (bare.fact, bare.site_id, bare.from_at, bare.until_at) == ("SITE", "north", None, None)


def test_every_fact_of_the_contract_is_a_word_that_decisions_know() -> None:
    known = {fact.value.upper() for fact in Fact} | {"SITE", "INCIDENT", "CASELOAD"}
    said = {name.removeprefix("SCOPE_FACT_") for name, number in internal.ScopeFact.items() if number}
    assert said <= known


def test_a_decision_goes_out_with_what_it_rests_on() -> None:
    decision = decided(an_asker("prosecutor", "DIVERSION_COORD"), about(a_consent()))
    message = convert.decision_to_wire(decision)
    assert message.visible == decision.visible
    assert message.until_time.ToDatetime(UTC) == decision.until
    assert (message.source_kind, message.source_part2) == (
        words_pb2.AGENCY_KIND_CASE_MANAGEMENT,
        words_pb2.PART2_PROGRAM_NO,
    )
    cited = {one.row: one for one in message.rulings if one.consent_id}
    assert cited.keys() == {15, 20}
    assert (cited[15].consent_id, cited[15].consent_version, cited[15].rule) == ("con_1", 1, "consent")
    assert [words_pb2.Purpose.Name(one) for one in cited[15].consent_purposes] == ["PURPOSE_DIVERSION_COORD"]
    assert cited[15].consent_expire_time.ToDatetime(UTC) == NOON + 30 * DAY
    assert len(cited[15].consent_categories) == len(a_draft().categories)


def test_a_denial_of_an_unknown_source_goes_out_as_one_that_counts_as_part_2() -> None:
    message = convert.decision_to_wire(decided(an_asker("prosecutor", "DIVERSION_COORD"), about(), source="nobody"))
    assert (message.visible, message.source_kind) == (0, words_pb2.AGENCY_KIND_UNSPECIFIED)
    assert message.source_part2 == words_pb2.PART2_PROGRAM_UNKNOWN


def test_an_agreement_goes_out_with_its_sites() -> None:
    assert list(convert.agreement_to_wire(an_agreement(site_ids=("north", "south"))).site_ids) == ["north", "south"]


def test_a_ruling_goes_out_with_its_approval() -> None:
    registry = a_registry(an_agreement(), an_approval())
    message = convert.decision_to_wire(decided(an_asker("evaluator", "HRESCH"), about(), "jail", registry=registry))
    assert {(one.row, one.rule) for one in message.rulings if one.approval_id == "agr-research"} == {(36, "approval")}
    assert all(not one.approval_id for one in message.rulings if one.row != 36)
    assert message.source_kind == words_pb2.AGENCY_KIND_JAIL
