"""Claim 12: an RMS file makes candidates that only their agency sees; an officer names one, who goes the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from rich.table import Table

from services.command.demo import drafts, journey
from services.command.demo.claim import Claim
from services.command.demo.story import Person, Story

_POLICE = "sample-rms-police"
# A NIBRS charge says neither book nor level: the site routes it to the office for what cannot be told.
_OFFICE = "sample-county-prosecutor"
_KEY = "ZZ0000100/GROUP A INCIDENT REPORT/26S-000101"
_FILES = ("nibrs_incident.xml", "nibrs_incident.xml", "nibrs_incident_corrected.xml")
_FORETOLD = ("CREATED", "UNCHANGED", "REPLACED")
# Role and agency of those who have no business with a candidate, and what each of them must hear.
_OTHERS = (
    ("police_officer", "sample-police", 200),
    ("police_rms", "sample-sheriff", 200),
    ("prosecutor", _OFFICE, 403),
    ("program_manager", "sample-office", 403),
    ("case_manager", "sample-outreach", 403),
    ("auditor", "sample-auditor", 403),
)


def play(story: Story) -> Iterator[Claim]:
    """Push the file twice and once corrected; look for the candidates as everybody; refer one of them."""
    pushed = [_push(story, name) for name in _FILES]
    candidates = {each["sequence"]: each for each in _candidates(story)}
    yield _as_foretold(pushed, candidates)
    yield _taken_as_written(candidates)
    yield _invisible(story, {each["id"] for each in candidates.values()})
    person = story.people["named"] = Person("Nominata", "Sample-Named", "1992-06-17", "sample-outreach")
    yield _named(story, person, candidates[1])
    yield _whole_way(story, person)


def _push(story: Story, name: str) -> list[dict[str, Any]]:
    data = (files("services.command") / "sample" / name).read_bytes()
    client = story.caller("police_rms", _POLICE)
    answer = journey.done("import a file", client.send("/v1/incidents:import", data, "application/xml"))
    results: list[dict[str, Any]] = answer["results"]
    return results


def _candidates(story: Story) -> Iterator[dict[str, Any]]:
    return story.caller("police_officer", _POLICE).pages("/v1/incidents", "incidents")


def _as_foretold(pushed: list[list[dict[str, Any]]], candidates: dict[int, dict[str, Any]]) -> Claim:
    table, holds = Table("file", "person of the report", "outcome"), True
    ids = {each["id"] for each in candidates.values()}
    for name, results, outcome in zip(_FILES, pushed, _FORETOLD, strict=True):
        seen = {each["recordKey"]: each["outcome"].removeprefix("IMPORT_OUTCOME_") for each in results}
        # Arrestees by their place in the report.
        holds &= sorted(seen.values()) == [outcome] * 2 and all(key.startswith(_KEY) for key in seen)
        holds &= {each["incidentId"] for each in results} == ids
        for key, word in seen.items():
            table.add_row(name, key, word)
    versions = [each["version"] for each in candidates.values()]
    text = "The file comes twice and once corrected: two arrestees, two candidates, created, unchanged, replaced"
    return Claim("12a", text, holds and sorted(candidates) == [1, 2] and versions == ["2", "2"], table)


def _taken_as_written(candidates: dict[int, dict[str, Any]]) -> Claim:
    ages = [(each.get("ageMin"), each.get("ageMax")) for _, each in sorted(candidates.items())]
    weights = [substance.get("quantity") for each in candidates.values() for substance in _substances(each)]
    open_ones = {each["screening"]["result"] for each in candidates.values()} == {"SCREENING_RESULT_NEEDS_INFO"}
    text = "An age range stays a range, the newer weight counts, and it is open what only an officer can say"
    return Claim("12b", text, ages == [(34, 34), (25, 30)] and set(weights) == {"2.8"} and open_ones)


def _substances(candidate: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for charge in candidate["charges"]:
        yield from charge.get("substances", [])


def _invisible(story: Story, ids: set[str]) -> Claim:
    holds = True
    for role, agency, status in _OTHERS:
        client = story.caller(role, agency)
        answer = client.get("/v1/incidents")
        seen = ids & {each["id"] for each in client.pages("/v1/incidents", "incidents")}
        holds &= answer.status == status and not seen and not any(one.encode() in answer.raw for one in ids)
    officer = journey.officer(story, "sample-police")
    refused = {officer.post(f"/v1/incidents/{one}:refer", _naming(_nobody(), {"etag": "0" * 20})).status for one in ids}
    text = f"Nobody but the agency that sent them sees a candidate or can refer it: {len(_OTHERS)} other roles looked"
    return Claim("12c", text, holds and refused == {404})


def _nobody() -> Person:
    return Person("Nulla", "Sample-Nobody", "1990-01-01", "sample-outreach")


def _naming(person: Person, candidate: dict[str, Any]) -> drafts.Draft:
    """Return what an officer adds to a candidate: who it is, and what he saw."""
    told = drafts.referral(person, "ARREST_DIVERSION", None, None)
    added = ("siteId", "door", "person", "contact", "officer", "narrative", "victim", "observations", "attestations")
    return {**{name: told[name] for name in added}, "etag": candidate["etag"]}


def _named(story: Story, person: Person, candidate: dict[str, Any]) -> Claim:
    story.canaries |= drafts.known_facts(person) | drafts.known_facts(_nobody())
    path = f"/v1/incidents/{candidate['id']}:refer"
    sent = _naming(person, candidate)
    referral = journey.done("refer a candidate", journey.officer(story, _POLICE).post(path, sent))["referral"]
    person.referral_id = referral["id"]
    kept = {each["id"]: each.get("referralId") for each in _candidates(story)}
    source = referral["source"]
    codes = {charge["offenseCode"] for charge in referral["charges"]}
    holds = kept[candidate["id"]] == person.referral_id and source["recordId"].startswith(_KEY)
    holds &= codes == {charge["offenseCode"] for charge in candidate["charges"]}
    holds &= sum(bool(each) for each in kept.values()) == 1
    text = "An officer names one of the two: a referral with the report's key and charges; the other stays a candidate"
    return Claim("12d", text, holds)


def _whole_way(story: Story, person: Person) -> Claim:
    journey.offer(story, person, police=_POLICE)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    review = journey.decide(story, person, _OFFICE)
    path = f"/v1/referrals/{person.referral_id}"

    def decided() -> bool:
        charges = journey.officer(story, _POLICE).get(path)["referral"]["charges"]
        return all(charge.get("decision", {}).get("value") == "DIVERT_CONFIRM" for charge in charges)

    text = "That referral goes the whole way: offer, hand-off, intake, the prosecutor's decision, back to its police"
    return Claim("12e", text, review["state"] == "REVIEW_STATE_DECIDED" and story.eventually(decided))
