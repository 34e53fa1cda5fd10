from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import referral_pb2 as pb

from services.referral import moves, records
from services.referral.domain import Offer
from services.referral.draft import Source, with_ids
from services.referral.records import Deletion, Plan
from services.referral.screening import Charge
from services.shared.sites import Site
from tests.unit.referral.builders import NOW, SEATTLE, Mint, a_charge, a_draft, a_referral, a_submission, from_rms


def sent_again(before: Plan, draft: pb.ReferralDraft, site: Site = SEATTLE) -> Plan:
    return records.upserted(before.after, a_submission(draft), site, NOW, Mint())


def first(draft: pb.ReferralDraft | None = None) -> Plan:
    return records.upserted(None, a_submission(draft), SEATTLE, NOW, Mint())


def gone(before: Plan, version: int = 0) -> Plan:
    source = Source(system="sample-rms", record_id="R-1", version=version)
    return records.deleted(before.after, Deletion(source=source), NOW)


def test_a_new_record_gets_ids_a_subject_and_offices() -> None:
    made = first().after
    assert made is not None
    assert (made.id, made.state, made.version) == ("ref_1", "SUBMITTED", 1)
    assert made.subject_id.startswith("sub_")
    assert [each.id for each in made.draft.charges] == ["chg_2"]
    assert made.routing == {"chg_2": "sample-city-attorney"}


def test_what_was_typed_in_has_the_exchange_as_its_source() -> None:
    made = first(a_draft()).after
    assert made is not None
    assert made.draft.source == Source(system="exchange", record_id=made.id, version=1)


def test_missing_answers_make_it_needs_info() -> None:
    made = first(from_rms(observations=None)).after
    assert made is not None
    assert (made.screening.result, made.state) == ("NEEDS_INFO", "NEEDS_INFO")


def test_a_repeat_is_unchanged() -> None:
    one = first()
    again = sent_again(one, from_rms())
    assert (again.outcome, again.after, again.changes) == ("UNCHANGED", one.after, False)


def test_a_lower_version_is_stale() -> None:
    again = sent_again(first(from_rms(version=2)), from_rms(version=1))
    assert (again.outcome, again.changes) == ("STALE", False)


def test_the_same_version_with_another_body_is_refused() -> None:
    again = sent_again(first(), from_rms(narrative="Something else."))
    assert (again.outcome, again.changes) == ("VERSION_REUSED", False)


def test_a_higher_version_replaces_and_keeps_ids_and_subject() -> None:
    one = first()
    two = sent_again(one, from_rms(version=2, narrative="Corrected."))
    assert two.outcome == "REPLACED"
    assert one.after is not None
    assert two.after is not None
    assert (two.after.id, two.after.subject_id, two.after.version) == (one.after.id, one.after.subject_id, 2)
    assert two.after.draft.narrative.text == "Corrected."
    assert [each.id for each in two.after.draft.charges] == [each.id for each in one.after.draft.charges]


def test_charges_keep_their_ids_by_statute_and_code_in_order() -> None:
    before = (
        Charge(id="a", offense_code="35A"),
        Charge(id="b", offense_code="23C"),
        Charge(id="c", offense_code="35A"),
    )
    now = (
        Charge(offense_code="23C"),
        Charge(offense_code="35A", level="FELONY"),
        Charge(offense_code="35A"),
        Charge(offense_code="35A"),
        Charge(offense_code="35A", statute="RCW 69.50.4013"),
    )
    assert [each.id for each in with_ids(now, before, iter(["x", "y"]).__next__)] == ["b", "a", "c", "x", "y"]


@given(st.lists(st.sampled_from(["35A", "23C", "90J"])), st.lists(st.sampled_from(["35A", "23C", "90J"])))
def test_no_id_is_given_twice_and_none_moves_to_another_offence(old: list[str], new: list[str]) -> None:
    mint = Mint()
    before = with_ids([Charge(offense_code=code) for code in old], (), lambda: mint("chg"))
    now = with_ids([Charge(offense_code=code) for code in new], before, lambda: mint("chg"))
    assert len({each.id for each in now}) == len(now)
    kept = {each.id: each.offense_code for each in before}
    assert all(kept.get(each.id, each.offense_code) == each.offense_code for each in now)
    for code in set(old) & set(new):
        expected = [each.id for each in before if each.offense_code == code][: new.count(code)]
        assert [each.id for each in now if each.offense_code == code][: len(expected)] == expected


def test_an_approval_stands_over_a_correction_that_changes_no_result() -> None:
    approved = moves.approved(a_referral(from_rms()), SEATTLE, "sample-office", "program_manager", NOW)
    two = records.upserted(approved, a_submission(from_rms(version=2, narrative="Typo.")), SEATTLE, NOW, Mint())
    assert two.after is not None
    assert (two.after.state, len(two.after.approvals)) == ("APPROVED", 1)


def test_an_approval_falls_with_the_result_that_it_rested_on() -> None:
    approved = moves.approved(a_referral(from_rms()), SEATTLE, "sample-office", "program_manager", NOW)
    worse = from_rms(version=2, charges=[a_charge("13A", "RCW 9A.36.021", "")])
    two = records.upserted(approved, a_submission(worse), SEATTLE, NOW, Mint())
    assert two.after is not None
    assert two.after.screening.result == "PRESUMPTIVELY_INELIGIBLE"
    assert (two.after.state, two.after.approvals) == ("SUBMITTED", ())


def test_the_offer_stays_over_a_correction() -> None:
    offered = moves.offered(a_referral(from_rms()), _offer(), SEATTLE, NOW, lambda: "hof_1")
    two = records.upserted(offered, a_submission(from_rms(version=2)), SEATTLE, NOW, Mint())
    assert two.after is not None
    assert (two.after.offer, two.after.handoff) == (offered.offer, offered.handoff)


def test_a_deletion_withdraws_once() -> None:
    once = gone(first(), 2)
    assert once.outcome == "WITHDRAWN"
    assert once.after is not None
    assert (once.after.state, once.after.draft.source.version) == ("WITHDRAWN", 2)
    assert gone(once, 2).outcome == "UNCHANGED"


def test_a_deletion_of_an_older_version_is_stale_and_of_nothing_unknown() -> None:
    assert gone(first(from_rms(version=3)), 2).outcome == "STALE"
    assert records.deleted(None, Deletion(source=Source(system="x", record_id="1")), NOW).outcome == "UNKNOWN"


def test_a_whole_file_sent_twice_ends_where_it_ended() -> None:
    drafts = [from_rms(version=1), from_rms(version=2, narrative="Corrected.")]
    plan, outcomes = Plan("", None, None), []
    for _ in range(2):
        for draft in drafts:
            plan = sent_again(plan, draft)
            outcomes.append(plan.outcome)
        plan = gone(plan, 3)
        outcomes.append(plan.outcome)
    assert outcomes == ["CREATED", "REPLACED", "WITHDRAWN", "STALE", "STALE", "UNCHANGED"]


def test_its_source_revives_a_withdrawn_one_with_a_higher_version() -> None:
    back = sent_again(gone(first(), 2), from_rms(version=3))
    assert back.outcome == "REPLACED"
    assert back.after is not None
    assert back.after.state == "SUBMITTED"


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["a", "b"]), st.booleans()), max_size=8))
def test_the_version_of_the_source_never_falls(steps: list[tuple[int, str, bool]]) -> None:
    plan = Plan("", None, None)
    for version, text, is_delete in steps:
        before = plan.after
        plan = gone(plan, version) if is_delete else sent_again(plan, from_rms(version=version, narrative=text))
        if before is not None and plan.after is not None:
            assert plan.after.draft.source.version >= before.draft.source.version
            assert plan.after.version == before.version + (1 if plan.changes else 0)
            assert (plan.after.id, plan.after.subject_id) == (before.id, before.subject_id)


def _offer() -> Offer:
    return Offer(outcome="ACCEPTED", call_time=NOW, dispatch_agency_id="sample-outreach")


def test_who_has_a_subject_already_keeps_it() -> None:
    sent = replace(a_submission(), subject_id="sub_known")
    made = records.upserted(None, sent, SEATTLE, NOW, Mint()).after
    assert made is not None
    assert made.subject_id == "sub_known"
