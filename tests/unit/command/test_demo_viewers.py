from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.command.demo.client import Answer
from services.command.demo.story import Person
from services.command.demo.viewers import VIEWERS, Known, Looks

PERSON = Person("Testa", "Sample", "1990-01-01", "sample-outreach", "ref_1", "hof_1", "par_1")
PART2_PERSON = Person("Testa", "Sample", "1990-01-01", "sample-recovery-outreach", "ref_1", "hof_1", "par_1")
KNOWN = Known({"referrals": "ref_1", "participants": "par_1", "sites": "seattle"}, frozenset({"ref_1", "par_1", "7"}))
BY_NAME = {viewer.name: viewer for viewer in VIEWERS}


class FakeClient:
    """Answers by path, 404 for any other, and notes what it was asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, str]] = []

    def get(self, path: str, *, purpose: str = "", **query: str) -> Answer:
        self.asked.append((path, purpose))
        found = self._answers.get(path + query.get("pageToken", ""))
        return Answer(200 if found is not None else 404, found, b"")


def at(name: str, answers: Mapping[str, Any], person: Person = PERSON) -> frozenset[str]:
    client: Any = FakeClient(answers)
    return Looks().at(client, BY_NAME[name], person, KNOWN)


def test_rows_about_others_do_not_count() -> None:
    rows = [{"id": "ref_2", "narrative": "Of somebody else."}, {"id": "ref_1"}]
    assert at("officer", {"/v1/referrals": {"referrals": rows}}) == {"REFERRAL"}


def test_every_page_of_a_list_is_looked_at() -> None:
    pages = {"/v1/referrals": {"nextPageToken": "2"}, "/v1/referrals2": {"referrals": [{"id": "ref_1"}]}}
    assert at("officer", pages) == {"REFERRAL", "SYSTEM"}


def test_the_own_accounting_is_all_about_the_person() -> None:
    assert at("participant", {"/v1/participants/par_1/disclosures": {"disclosures": [{"requestId": "req_1"}]}}) == {
        "DISCLOSURE_RECORD"
    }


def test_an_auditors_entry_counts_when_the_person_has_it_in_his_accounting() -> None:
    assert at("auditor", {"/v1/audit/entries": {"entries": [{"entry": "8", "agencyId": "x"}]}}) == frozenset()
    assert at("auditor", {"/v1/audit/entries": {"entries": [{"entry": "7"}]}}) == {"DISCLOSURE_RECORD"}


def test_presence_is_seen_with_a_record_of_a_part_2_agency_only() -> None:
    answers = {"/v1/referrals/ref_1": {"referral": {"id": "ref_1", "confirmation": {"workingAsOfTime": "2026"}}}}
    assert at("officer", answers) == {"REFERRAL", "PROGRAM_STATUS"}
    assert at("officer", answers, PART2_PERSON) == {"REFERRAL", "PROGRAM_STATUS", "SUD_PRESENCE"}


def test_presence_is_not_seen_with_a_release() -> None:
    answers = {"/v1/participants/par_1/consents": {"consents": [{"id": "con_1"}]}}
    assert at("other_case_agency", answers, PART2_PERSON) == {"CONSENT_RECORD"}


def test_an_answer_that_should_not_be_shows_in_the_table() -> None:
    class Broken(FakeClient):
        def get(self, path: str, **_: str) -> Answer:
            return Answer(503, None, b"")

    client: Any = Broken({})
    assert Looks().at(client, BY_NAME["housing_provider"], PERSON, KNOWN) == {"HTTP 503"}


def test_what_is_about_nobody_is_asked_for_once() -> None:
    client = FakeClient({"/v1/me": {"role": "defender"}})
    looks, asked = Looks(), client.asked
    for _ in range(2):
        looks.at(client, BY_NAME["defender"], PERSON, KNOWN)  # type: ignore[arg-type]
    assert asked.count(("/v1/me", "DIVERSION_COORD")) == 1
    assert asked.count(("/v1/referrals", "DIVERSION_COORD")) == 2
