"""Moves out of turn over HTTP: keys used twice, etags that are missing or stale, states that do not allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.command.demo import drafts, journey
from services.command.demo.client import Client
from services.command.demo.story import Person, Story
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, Tried, ask, held, wrong

pytestmark = pytest.mark.timeout(180)
POLICE = "sample-police"
SOMEBODY = Person("Testa", "Sample-Moved", "1985-05-05", "sample-outreach")


@pytest.fixture(scope="module")
def officer(client: Callable[..., Client]) -> Client:
    return client("police_officer", POLICE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, officer: Client) -> Iterator[None]:
    yield
    tried.still_serves(officer)
    tried.logs_are_clean()


def draft() -> drafts.Draft:
    return drafts.referral(SOMEBODY, "ARREST_DIVERSION", None, None)


def test_an_idempotency_key_gives_the_same_record_and_no_other_body(officer: Client, tried: Tried) -> None:
    key, sent = {"idempotency-key": new_id("evt")}, draft()
    first, again = (officer.post("/v1/referrals", sent, headers=key) for _ in range(2))
    assert first.status == again.status == 200
    assert first["referral"]["id"] == again["referral"]["id"]
    before = held(officer, "/v1/referrals", "referrals")
    other = officer.post("/v1/referrals", wrong(sent, {"narrative": CANARY}), headers=key)
    tried.refused(other, 409, reason="IDEMPOTENCY_KEY_REUSED")
    assert held(officer, "/v1/referrals", "referrals") == before


def test_a_refused_call_does_not_use_up_its_key(officer: Client, tried: Tried) -> None:
    key = {"idempotency-key": new_id("evt")}
    bad = officer.post("/v1/referrals", wrong(draft(), {"person.birthDate": "2999"}), headers=key)
    tried.refused(bad, 400, "person.birthDate")
    assert officer.post("/v1/referrals", draft(), headers=key).status == 200


@pytest.mark.parametrize("key", ["", "a b", "a" * 129, b"\xff", f"{CANARY}\tb"])
def test_an_idempotency_key_is_visible_ascii(key: Any, officer: Client, tried: Tried) -> None:
    answer = ask(officer, "POST", "/v1/referrals", json=draft(), headers={"idempotency-key": key})
    tried.refused(answer, 400, "Idempotency-Key")


def test_the_same_version_of_a_record_with_another_body_is_refused(officer: Client, tried: Tried) -> None:
    source = {"system": "sample-rms", "recordId": new_id("evt"), "version": "3"}
    assert officer.post("/v1/referrals", draft() | {"source": source}).status == 200
    changed = wrong(draft() | {"source": source}, {"narrative": CANARY})
    tried.refused(officer.post("/v1/referrals", changed), 409, reason="VERSION_REUSED")
    older = draft() | {"source": source | {"version": "2"}}
    tried.refused(officer.post("/v1/referrals", older), 409, reason="STALE_VERSION")


def test_a_referral_is_moved_only_by_its_etag_and_in_turn(officer: Client, tried: Tried) -> None:
    path = f"/v1/referrals/{officer.post('/v1/referrals', draft())['referral']['id']}"
    yes = {"outcome": "OFFER_OUTCOME_ACCEPTED"}
    needed = ("verbalConsent", "toldVoluntary", "dispatchAgencyId", "etag")
    tried.refused(officer.post(f"{path}:recordOffer", {}), 400, "outcome", "etag")
    tried.refused(ask(officer, "POST", f"{path}:recordOffer"), 400, "outcome", "etag")
    tried.refused(officer.post(f"{path}:recordOffer", yes), 400, *needed)
    tried.refused(officer.post(f"{path}:recordHandover", {"time": "2999-01-01T00:00:00Z"}), 400, "time", "etag")
    stale = {"outcome": "OFFER_OUTCOME_DECLINED", "etag": CANARY}
    tried.refused(officer.post(f"{path}:recordOffer", stale), 409, reason="STALE_ETAG")
    before = officer.get(path)["referral"]
    early = {"time": drafts.ago(minutes=1), "etag": before["etag"]}
    tried.refused(officer.post(f"{path}:recordHandover", early), 409, reason="NO_ACCEPTED_OFFER")
    assert officer.get(path)["referral"] == before
    withdrawn = journey.done("withdraw", officer.post(f"{path}:withdraw", {}))["referral"]
    late = officer.post(f"{path}:recordOffer", stale | {"etag": withdrawn["etag"]})
    assert "withdraw" in tried.refused(late, 409, reason="ILLEGAL_MOVE")["detail"]


def test_a_hand_off_and_an_intake_are_moved_only_by_their_etag_and_in_turn(
    client: Callable[..., Client], alpha: Person, tried: Tried
) -> None:
    case_manager = client("case_manager", alpha.case_agency)
    rows = case_manager.pages("/v1/handoffs", "handoffs", purpose="HANDOFF")
    etag = next(row["etag"] for row in rows if row["id"] == alpha.handoff_id)
    path = f"/v1/handoffs/{alpha.handoff_id}"
    for move in ("accept", "arrive"):
        tried.refused(case_manager.post(f"{path}:{move}", {}), 400, "etag")
        tried.refused(case_manager.post(f"{path}:{move}", {"etag": CANARY}), 409, reason="STALE_ETAG")
        tried.refused(case_manager.post(f"{path}:{move}", {"etag": etag}), 409, reason="ILLEGAL_MOVE")
    tried.refused(case_manager.post(f"{path}:fail", {}), 400, "reason", "etag")
    person = {"givenName": f"{CANARY} WA12345678", "familyName": " ", "birthDate": "2999-01-01"}
    contact = {"phones": [CANARY], "address": f"{CANARY} FBI 123456AB7"}
    wrong_facts = {"person": person, "contact": contact}
    paths = ("person.givenName", "person.familyName", "person.birthDate", "contact.phones[0]", "contact.address")
    tried.refused(case_manager.post(f"{path}:complete", wrong_facts), 400, *paths, "etag")
    participant = f"/v1/participants/{alpha.participant_id}"
    before = case_manager.get(participant)["participant"]
    facts = {"intakeTime": "2999-01-01T00:00:00Z", "needs": ["NEED_HOUSING", "NEED_HOUSING"]}
    tried.refused(
        case_manager.post(f"{participant}:completeIntake", facts), 400, "intakeTime", "needs[0]", "needs[1]", "etag"
    )
    again = case_manager.post(f"{participant}:completeIntake", {"etag": before["etag"]})
    tried.refused(again, 409, reason="ILLEGAL_MOVE")
    assert case_manager.get(participant)["participant"] == before


def test_a_charge_is_decided_only_by_the_reviews_etag_and_once(
    client: Callable[..., Client], story: Story, beta: Person, tried: Tried
) -> None:
    prosecutor = client("prosecutor", drafts.OFFICE)
    review = journey.review_of(story, beta)
    path = f"/v1/reviews/{review['id']}/charges/{review['charges'][0]['chargeId']}:decide"
    tried.refused(prosecutor.post(path, {}), 400, "decision", "etag")
    many = {"decision": "DECISION_VALUE_DIVERT_REJECT", "note": f"{CANARY} SID WA12345678"}
    tried.refused(
        prosecutor.post(path, many | {"deferUntil": drafts.ago()}), 400, "reason", "note", "deferUntil", "etag"
    )
    filed = {"decision": "DECISION_VALUE_FILE", "etag": CANARY}
    tried.refused(prosecutor.post(path, filed), 409, reason="STALE_ETAG")
    assert prosecutor.get(f"/v1/reviews/{review['id']}")["review"] == review
    decided = journey.done("decide", prosecutor.post(path, filed | {"etag": review["etag"]}))["review"]
    again = prosecutor.post(path, filed | {"etag": decided["etag"]})
    assert "nothing" in tried.refused(again, 409, reason="ILLEGAL_MOVE")["detail"]


def test_a_release_names_all_that_it_lacks_and_carries_no_number_of_cjis(
    client: Callable[..., Client], alpha: Person, tried: Tried
) -> None:
    case_manager, path = client("case_manager", alpha.case_agency), f"/v1/participants/{alpha.participant_id}/consents"
    before = case_manager.get(path).body
    elements = ("sourceAgencyIds", "categories", "recipientAgencyIds", "purposes", "statements.revocation")
    more = ("expireTime", "signature", "signedTime", "type")
    tried.refused(case_manager.post(path, {}), 400, *elements, *more, reason="CONSENT_ELEMENTS_MISSING")
    values = {
        "signature.signerName": f"{CANARY} SID WA12345678",
        "signature.relation": "a" * 5_000,
        "signature.authority": f"{CANARY}, court of 123456AB7",
        "expireEvent": f"{CANARY} NCIC",
        "recipientAgencyIds": [CANARY],
        "signedTime": "0001-01-01T00:00:00Z",
    }
    tried.refused(case_manager.post(path, wrong(drafts.narrow_release(alpha), values)), 400, *values)
    slip = {"recipientAgencyIds": ["sample-city-attorney", CANARY]}
    stop = case_manager.post(f"/v1/consents/{alpha.consents['narrow']}:revoke", slip)
    tried.refused(stop, 400, "recipientAgencyIds[1]")
    assert case_manager.get(path).body == before
