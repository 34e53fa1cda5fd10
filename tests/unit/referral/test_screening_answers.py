"""Rules that rest on what somebody answered, and those that the programme alone can answer."""

from __future__ import annotations

import pytest

from services.referral.screening import Victim
from services.shared.sites.rules import Attested, Nothing, Observation, ProgrammeOwned
from tests.unit.referral.screening_builders import SEATTLE, a_site_with, reason_for, screened

HISTORY = {"basis": "history check"}


@pytest.mark.parametrize("kind", ["conviction_lookback", "supervision_status", "protective_order", "specialty_court"])
@pytest.mark.parametrize(
    ("answers", "result", "shown"),
    [
        ({"tried": "DISQUALIFYING"}, "PRESUMPTIVELY_INELIGIBLE", "DISQUALIFYING"),
        ({"tried": "NOT_CHECKED"}, "NEEDS_INFO", "NOT_CHECKED"),
        ({"tried": "robbery in 1999"}, "NEEDS_INFO", "not given"),
        ({"other": "CLEAR"}, "NEEDS_INFO", "not given"),
    ],
)
def test_an_attestation_says_clear_disqualifying_or_nothing(
    kind: str, answers: dict[str, str], result: str, shown: str
) -> None:
    site = a_site_with(kind, Attested(of="listed conviction"), **HISTORY)
    reason = reason_for(screened(site, attestations=answers), "tried")
    assert (reason.effect, reason.input, reason.limit) == (result, shown, "no listed conviction")
    assert (reason.quotes, reason.restricted) == ("OFFICER_NARRATIVE", True)
    assert screened(site, attestations={"tried": "CLEAR"}).result == "ELIGIBLE"


def test_an_order_alone_is_left_to_the_programme_in_seattle() -> None:
    answers = {
        **dict.fromkeys(SEATTLE.attested_rules("ARREST_DIVERSION"), "CLEAR"),
        "protective_order": "DISQUALIFYING",
    }
    screening = screened(SEATTLE, attestations=answers)
    assert screening.result == "PROGRAMME_REVIEW"
    assert reason_for(screening, "protective_order").restricted


@pytest.mark.parametrize(
    ("seen", "result", "shown"),
    [(False, "PRESUMPTIVELY_INELIGIBLE", "no"), (None, "NEEDS_INFO", "not given")],
)
def test_silence_of_the_officer_is_no_answer(seen: bool | None, result: str, shown: str) -> None:
    site = a_site_with("officer_judgement", Observation(fact="amenable", must_be=True), basis="observation")
    reason = reason_for(screened(site, observations={"amenable": seen}), "tried")
    assert (reason.effect, reason.input, reason.limit) == (result, shown, "yes")
    assert (reason.quotes, reason.restricted) == ("OFFICER_NARRATIVE", False)
    assert screened(site, observations={}).result == "NEEDS_INFO"
    assert screened(site, observations={"amenable": True}).result == "ELIGIBLE"


@pytest.mark.parametrize(
    ("victim", "result"),
    [
        (Victim(present=False), "ELIGIBLE"),
        (Victim(present=True, willing_to_forgo=True), "ELIGIBLE"),
        (Victim(present=True, willing_to_forgo=False), "PRESUMPTIVELY_INELIGIBLE"),
        (Victim(present=True), "NEEDS_INFO"),
        (Victim(), "NEEDS_INFO"),
        (None, "NEEDS_INFO"),
    ],
)
def test_a_victim_must_be_willing_to_forgo_prosecution(victim: Victim | None, result: str) -> None:
    screening = screened(a_site_with("victim_consent_required", Nothing()), victim=victim)
    assert screening.result == result
    assert {reason.quotes for reason in screening.reasons} <= {"VICTIM_OF_OFFENCE"}


@pytest.mark.parametrize(
    "kind", ["retry_lockout", "order_protecting_participant", "max_diversions", "prior_program_failure"]
)
def test_what_the_programme_owns_is_never_judged(kind: str) -> None:
    owned = {"basis": "programme records", "failing": "PROGRAMME_REVIEW"}
    site = a_site_with(kind, ProgrammeOwned(limit="none in 30 days"), **owned)
    (reason,) = screened(site).reasons
    assert reason.effect == "PROGRAMME_REVIEW"
    assert (reason.input, reason.limit) == ("known to the programme only", "none in 30 days")
    assert (reason.quotes, reason.restricted) == ("ELIGIBILITY", False)
    # Whatever else is said of the person, byte for byte.
    assert repr(screened(site, birth_date=None, attestations={}).reasons) == repr((reason,))
