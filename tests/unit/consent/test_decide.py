"""The one decision: what a release opens, for whom, and when it no longer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.consent.held import NOTHING
from services.shared.sharing.need import BITS, words
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    CATEGORIES,
    DAY,
    a_consent,
    a_fact,
    a_registry,
    a_revocation,
    about,
    an_agreement,
    an_asker,
    decided,
    seen,
    the_person,
)

PROSECUTOR = an_asker("prosecutor", "DIVERSION_COORD")
STATUS = {"PROGRAM_STATUS", "SUD_PRESENCE"}


def test_a_release_opens_what_it_names_to_whom_it_names() -> None:
    assert seen(PROSECUTOR, about(a_consent())) == STATUS


def test_a_ruling_cites_row_law_consent_and_version() -> None:
    consent = a_consent(revocations=[a_revocation(categories=["NEEDS"])])
    [presence, status] = sorted(
        (one for one in decided(PROSECUTOR, about(consent)).rulings if one.consent), key=lambda one: -one.row
    )
    assert (status.row, status.rule, status.categories) == (15, "consent", BITS["PROGRAM_STATUS"])
    assert (presence.row, presence.categories) == (20, BITS["SUD_PRESENCE"])
    assert (status.consent, status.consent.version if status.consent else 0) == (consent, 2)
    assert status.law


def test_nothing_is_seen_without_a_release() -> None:
    assert seen(PROSECUTOR, about()) == set()


def test_release_is_denied_after_revocation() -> None:
    assert seen(PROSECUTOR, about(a_consent(revocations=[a_revocation()]))) == set()


def test_a_revocation_of_one_category_leaves_the_rest() -> None:
    consent = a_consent(revocations=[a_revocation(categories=["SUD_PRESENCE"])])
    assert seen(PROSECUTOR, about(consent)) == {"PROGRAM_STATUS"}


def test_a_revocation_for_one_recipient_leaves_the_others() -> None:
    consent = a_consent(
        recipient_agency_ids=("prosecutor", "other-prosecutor"), revocations=[a_revocation(["prosecutor"])]
    )
    assert seen(PROSECUTOR, about(consent)) == set()
    assert seen(an_asker("other-prosecutor", "DIVERSION_COORD"), about(consent)) == STATUS


def test_a_later_release_opens_again_what_an_earlier_one_had_lost() -> None:
    earlier, later = a_consent(revocations=[a_revocation()]), a_consent("con_2", categories=("PROGRAM_STATUS",))
    decision = decided(PROSECUTOR, about(earlier, later))
    assert {one.consent.consent_id for one in decision.rulings if one.consent} == {"con_2"}
    assert seen(PROSECUTOR, about(earlier, later)) == {"PROGRAM_STATUS"}


def test_two_releases_open_together_what_neither_opens_alone() -> None:
    some, more = a_consent(categories=("PROGRAM_STATUS",)), a_consent("con_2", categories=("SUD_PRESENCE",))
    assert seen(PROSECUTOR, about(some, more)) == STATUS


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, STATUS), (0, set()), (1, set())], ids=["before", "at the end", "after"]
)
def test_release_is_denied_from_its_expiry_on(seconds: int, expected: set[str]) -> None:
    held = about(a_consent(expires_at=NOON))
    assert seen(PROSECUTOR, held, now=NOON + timedelta(seconds=seconds)) == expected


def test_a_release_serves_nothing_before_it_was_signed() -> None:
    held = about(a_consent(signed_at=NOON + DAY))
    assert seen(PROSECUTOR, held) == set()
    assert seen(PROSECUTOR, held, now=NOON + 2 * DAY) == STATUS


def test_another_recipient_sees_nothing() -> None:
    assert seen(an_asker("other-prosecutor", "DIVERSION_COORD"), about(a_consent())) == set()


def test_another_purpose_sees_nothing() -> None:
    assert seen(an_asker("prosecutor", "DIVERSION_ELIG"), about(a_consent())) == set()


def test_another_source_is_not_released() -> None:
    assert seen(PROSECUTOR, about(a_consent()), source="recovery") == set()


@pytest.mark.parametrize("agency", ["police", "prosecutor", "defender", "office"])
def test_a_tpo_release_never_serves_justice(agency: str) -> None:
    """P2-42: diversion is neither treatment, payment nor operations, whatever the release says."""
    held = about(a_consent(type="TPO", recipient_agency_ids=(agency,), purposes=("DIVERSION_COORD", "TREAT")))
    assert not any(ruling.consent for ruling in decided(an_asker(agency, "DIVERSION_COORD"), held).rulings)


def test_a_tpo_release_serves_treatment_and_nothing_else() -> None:
    held = about(
        a_consent(
            type="TPO",
            source_agency_ids=("treatment",),
            recipient_agency_ids=("clinic",),
            purposes=("TREAT", "CAREMGT"),
        )
    )
    assert "SUD_TREATMENT" in seen(an_asker("clinic", "TREAT"), held, source="treatment")
    assert seen(an_asker("clinic", "CAREMGT"), held, source="treatment") == set()


@pytest.mark.parametrize("purpose", ["CAREMGT", "HPAYMT", "WARRANT", "", "UNKNOWN"])
def test_a_purpose_that_is_not_the_roles_sees_nothing(purpose: str) -> None:
    held = about(a_consent(purposes=(purpose, "DIVERSION_COORD")))
    assert decided(an_asker("prosecutor", purpose), held).visible == 0


@pytest.mark.parametrize("role", ["", "none", "chief", "vsp"])
def test_an_unknown_role_or_one_without_a_row_sees_nothing_of_a_person(role: str) -> None:
    assert seen(replace(PROSECUTOR, matrix_role=role), about(a_consent())) == set()


def test_an_unknown_source_is_denied() -> None:
    held = about(a_consent(source_agency_ids=("nobody",)))
    assert decided(PROSECUTOR, held, source="nobody").visible == 0


def test_an_unknown_agency_is_denied() -> None:
    held = about(a_consent(recipient_agency_ids=("nobody",)))
    assert decided(an_asker("nobody", "DIVERSION_COORD", "prosecutor"), held).visible == 0


def test_agencies_without_an_agreement_share_nothing() -> None:
    """CJ-11."""
    held = about(a_consent(recipient_agency_ids=("outsider",), purposes=("CAREMGT",)))
    assert decided(an_asker("outsider", "CAREMGT"), held).visible == 0


@pytest.mark.parametrize(
    "lapsed",
    [
        an_agreement(until_at=NOON),
        an_agreement(from_at=NOON + DAY),
        an_agreement(type="QSOA"),
        an_agreement("outreach", "police"),
    ],
    ids=["over", "not yet begun", "of another kind", "not bound"],
)
def test_a_lapsed_agreement_denies(lapsed: object) -> None:
    registry = a_registry(lapsed)  # type: ignore[arg-type]
    assert decided(PROSECUTOR, about(a_consent()), registry=registry).visible == 0


def test_an_agreement_that_ends_bounds_the_decision() -> None:
    registry = a_registry(an_agreement(until_at=NOON + timedelta(seconds=20)))
    assert decided(PROSECUTOR, about(a_consent()), registry=registry).until == NOON + timedelta(seconds=20)


def test_the_longest_agreement_counts() -> None:
    registry = a_registry(an_agreement(until_at=NOON + timedelta(seconds=20)), an_agreement(agreement_id="agr-2"))
    assert decided(PROSECUTOR, about(a_consent()), registry=registry).until == NOON + timedelta(seconds=60)


def test_a_decision_is_never_used_longer_than_a_minute() -> None:
    assert decided(PROSECUTOR, about(a_consent())).until == NOON + timedelta(seconds=60)


def test_a_decision_is_never_used_past_the_end_of_its_release() -> None:
    held = about(a_consent(expires_at=NOON + timedelta(seconds=7)))
    assert decided(PROSECUTOR, held).until == NOON + timedelta(seconds=7)


@pytest.mark.parametrize("agency", ["outreach", "recovery", "treatment"])
def test_the_source_always_sees_its_own(agency: str) -> None:
    """Row 1: use inside the agency is no disclosure; no release, agreement or link is asked for."""
    held = replace(about(), participant_id="")
    own = seen(an_asker(agency, "CAREMGT"), held, source=agency, registry=a_registry(an_agreement(until_at=NOON)))
    assert own >= set(CATEGORIES)


def test_the_operator_sees_no_person_even_of_its_own() -> None:
    """Row 2."""
    held = about(a_consent(recipient_agency_ids=("operator",), purposes=("AUDIT_EVAL",)))
    for source in ("outreach", "operator"):
        assert seen(an_asker("operator", "AUDIT_EVAL"), held, source=source) == set()


@pytest.mark.parametrize("source", ["recovery", "unasked"])
def test_a_part_2_source_is_closed_without_presence(source: str) -> None:
    """The decision shows PROGRAM_STATUS alone; the need set of such a source asks for SUD_PRESENCE as well."""
    held = about(a_consent(source_agency_ids=(source,), categories=("PROGRAM_STATUS",)))
    decision = decided(PROSECUTOR, held, source=source)
    assert decision.source.part2 != "NO"
    assert not decision.visible & BITS["SUD_PRESENCE"]


def test_without_a_link_no_release_is_found() -> None:
    """Releases hang on the participant: an unlinked subject brings none along."""
    unlinked = replace(about(), participant_id="")
    assert seen(PROSECUTOR, unlinked) == set()
    assert seen(the_person(), unlinked) == set()


def test_the_person_sees_his_own_and_nobody_elses() -> None:
    """Row 33."""
    assert seen(the_person(), about()) >= {"IDENTITY", "CHARGE", "CASE_NOTES", "SUD_TREATMENT", "CONSENT_RECORD"}
    assert seen(the_person(), about()).isdisjoint({"OFFICER_NARRATIVE", "PROSECUTOR_WORK_PRODUCT"})
    assert seen(the_person("par_other"), about()) == set()
    assert seen(the_person(""), replace(about(), participant_id="")) == set()


def test_a_release_is_known_to_who_took_it_and_whom_it_names() -> None:
    """Rows 31 and 32."""
    held = about(a_consent("con_1", recipient_agency_ids=("recovery",)))

    def knows(agency: str) -> bool:
        return "CONSENT_RECORD" in seen(an_asker(agency, "CAREMGT"), held, record_id="con_1")

    assert knows("outreach")
    assert knows("recovery")
    assert not knows("unasked")
    assert not knows("treatment")


def test_a_release_taken_from_the_person_himself_is_taken_by_no_agency() -> None:
    held = about(replace(a_consent("con_1", recipient_agency_ids=("recovery",)), taken_by_agency_id=""))
    nobody = an_asker("", "CAREMGT", "lead_cm")
    assert "CONSENT_RECORD" not in seen(nobody, held, source="", record_id="con_1")


def test_the_defender_of_a_person_is_who_a_release_in_force_names() -> None:
    """Row 8."""
    release: dict[str, Any] = {"source_agency_ids": ("police",), "recipient_agency_ids": ("defender",)}
    asker = an_asker("defender", "DIVERSION_COORD")
    assert seen(asker, about(a_consent(**release)), source="police") >= {"IDENTITY", "OFFICER_NARRATIVE"}
    assert "IDENTITY" not in seen(asker, about(a_consent(**release, expires_at=NOON)), source="police")


def test_rulings_are_disjoint_and_make_up_what_is_visible() -> None:
    decision = decided(PROSECUTOR, about(a_consent(), facts=[a_fact("ROUTED", "prosecutor")]), source="police")
    assert sum(one.categories for one in decision.rulings) == decision.visible


def test_facts_of_the_exchange_itself_need_no_agreement_and_no_person() -> None:
    """Row 39."""
    registry = a_registry(an_agreement(until_at=NOON))
    decision = decided(PROSECUTOR, NOTHING, source="", record_id="", registry=registry)
    assert set(words(decision.visible)) == {"DEIDENTIFIED", "DIRECTORY", "STAFF", "SYSTEM"}
