"""Claim 2: a screening explains itself, takes the unknown for unknown, and doesn't tell who is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.table import Table

from services.command.demo import drafts, journey
from services.command.demo.claim import Claim
from services.command.demo.client import Answer
from services.command.demo.drafts import Draft
from services.command.demo.story import Person, Story

_PATH = "/v1/referrals:screen"
_POLICY = ("seattle-eligibility", "1")


class _Case(NamedTuple):
    """A draft, and what its screening must say: the result, and one reason by rule, input and limit."""

    title: str
    draft: Draft
    result: str
    rule: str
    input: str
    limit: str


def play(story: Story) -> Iterator[Claim]:
    """Screen what is plain, what is unknown, and two people of whom one is a participant."""
    someone = Person("Nemo", "Sample-Screened", "1991-02-03", "sample-outreach")
    story.canaries |= drafts.known_facts(someone)
    cases = _cases(someone)
    answers = [_screen(story, case.draft) for case in cases]
    yield _explained(cases, answers)
    yield _unknown(story, someone)
    yield from _who_is_known(story)


def _cases(person: Person) -> list[_Case]:
    fine = drafts.referral(person, "ARREST_DIVERSION", None, None)
    history = [*fine["attestations"][1:], {"rule": "conviction_ever", "answer": "ATTESTATION_ANSWER_DISQUALIFYING"}]
    out, summer = "PRESUMPTIVELY_INELIGIBLE", int(drafts.ago()[:4]) - 1
    return [
        _Case(
            "an assault beside the possession",
            fine | {"charges": [drafts.possession(), drafts.assault()]},
            out,
            "serious_offence",
            "RCW 9A.36.021, 13A, FELONY",
            "no serious offence",
        ),
        _Case(
            "4 grams",
            fine | {"charges": [drafts.possession("4")]},
            out,
            "max_quantity",
            "4 g",
            "at most 3 g",
        ),
        _Case(
            "a conviction on the list",
            fine | {"attestations": history},
            out,
            "conviction_ever",
            "DISQUALIFYING",
            "no conviction",
        ),
        _Case(
            "a birth year that leaves the age open",
            fine | {"incidentTime": f"{summer}-07-01T19:00:00Z", "person": {"birthDate": f"{summer - 18}"}},
            "NEEDS_INFO",
            "min_age",
            f"born {summer - 18}",
            "at least 18 years",
        ),
        _Case(
            "nothing against it",
            fine,
            "PROGRAMME_REVIEW",
            "order_protecting_participant",
            "known to the programme only",
            "no order that protects a participant",
        ),
    ]


def _screen(story: Story, draft: Draft) -> Answer:
    return journey.done("screen", journey.officer(story).post(_PATH, draft))


def _explained(cases: list[_Case], answers: list[Answer]) -> Claim:
    table, holds = Table("what is screened", "result", "rule", "input", "limit", "policy"), True
    for case, answer in zip(cases, answers, strict=True):
        screening = answer["draft"]["screening"]
        reason = _reason(screening, case.rule)
        policy = (screening["policyId"], screening["policyVersion"])
        result = screening["result"].removeprefix("SCREENING_RESULT_")
        told = (result, reason.get("input", ""), policy)
        limit = reason.get("limit", "")
        holds &= told == (case.result, case.input, _POLICY) and limit.startswith(case.limit) and bool(reason["text"])
        table.add_row(case.title, result, case.rule, told[1], limit[:40], " ".join(policy))
    return Claim(
        "2a", "Every screening names its result's rule, input and limit, and the policy's version", holds, table
    )


def _reason(screening: dict[str, Any], rule: str) -> dict[str, Any]:
    reasons = (*screening.get("reasons", []), *screening.get("restrictedReasons", []))
    return next((each for each in reasons if each["rule"] == rule), {"text": ""})


def _unknown(story: Story, person: Person) -> Claim:
    fine = drafts.referral(person, "ARREST_DIVERSION", None, None)
    unweighed, unreported = drafts.possession(None), drafts.possession(None)
    unreported["substances"][0]["unit"] = "QUANTITY_UNIT_NOT_REPORTED"
    answers = [_screen(story, fine | {"charges": [charge]}) for charge in (unweighed, unreported)]
    holds = True
    for answer in answers:
        screening = answer["draft"]["screening"]
        open_ones = _reason(screening, "max_quantity")
        holds &= screening["result"] == "SCREENING_RESULT_NEEDS_INFO" and open_ones.get("input") == "amount not given"
        holds &= b'"0 g' not in answer.raw and b'"0"' not in answer.raw
    text = "A quantity that is not known, or was not reported, makes NEEDS_INFO: “amount not given”, never 0 g"
    return Claim("2b", text, holds)


def _who_is_known(story: Story) -> Iterator[Claim]:
    known = Person("Cognita", "Sample-Known", "1984-11-07", "sample-outreach")
    stranger = Person("Ignota", "Sample-Stranger", known.birth_date, known.case_agency)
    story.people["known"] = known
    story.canaries |= drafts.known_facts(stranger)
    before = _screen(story, _same_facts(known))
    journey.refer(story, known)
    journey.offer(story, known)
    journey.hand_over(story, known)
    journey.complete_intake(story, known)
    after, other = _screen(story, _same_facts(known)), _screen(story, _same_facts(stranger))
    size = len(after.raw)
    text = f"Of a participant and of a stranger with the same facts police hear the same {size} bytes, as before"
    yield Claim("2c", text, size > 0 and before.raw == after.raw == other.raw)
    result = after["draft"]["screening"]["result"]
    review = "What only the programme knows is never looked up for police: PROGRAMME_REVIEW, whoever it is"
    yield Claim("2d", review, result == "SCREENING_RESULT_PROGRAMME_REVIEW")


def _same_facts(person: Person) -> Draft:
    return drafts.referral(person, "ARREST_DIVERSION", None, None)
