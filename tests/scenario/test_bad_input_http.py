"""Wrong bodies over HTTP: a 4xx that names every wrong path, nothing stored or echoed, and the next call works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.command.demo import drafts
from services.command.demo.client import Client
from services.command.demo.story import Person
from tests.scenario.attempts import CANARY, JSON, Tried, ask, held, wrong

pytestmark = pytest.mark.timeout(180)
POLICE = "sample-sheriff"
SOMEBODY = Person("Testa", "Sample-Wrong", "1985-05-05", "sample-outreach")
SUBSTANCE = "charges[0].substances[0]"
Values = dict[str, Any]


def draft() -> drafts.Draft:
    return drafts.referral(SOMEBODY, "ARREST_DIVERSION", None, None)


@pytest.fixture(scope="module")
def officer(client: Callable[..., Client]) -> Client:
    return client("police_officer", POLICE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, officer: Client) -> Iterator[None]:
    yield
    tried.still_serves(officer)
    tried.logs_are_clean()


@pytest.fixture
def unchanged(officer: Client) -> Iterator[None]:
    """Nothing of a refused call is kept."""
    before = held(officer, "/v1/referrals", "referrals")
    yield
    assert held(officer, "/v1/referrals", "referrals") == before


TYPES: Values = {
    "siteId": 7,
    "door": [CANARY],
    "agencyOri": {CANARY: CANARY},
    "incidentTime": 1_700_000_000,
    "person.givenName": True,
    "person.localIds": {"id": CANARY},
    "contact.phones": CANARY,
    "contact.address": [CANARY],
    "charges[0].level": 2.5,
    f"{SUBSTANCE}.quantity": 0.8,
    "officer": CANARY,
    "observations[0]": CANARY,
    "narrative": 12,
    "source": {"version": CANARY},
    "victim.present": "yes",
}
WORDS: Values = {
    "door": f"DOOR_{CANARY}",
    "evidenceBasis": CANARY,
    "charges[0].level": 99,
    f"{SUBSTANCE}.unit": "QUANTITY_UNIT_KILOGRAM",
    "observations[0].answer": f"OBSERVATION_ANSWER_{CANARY}",
    "attestations[0].answer": -1,
    "victim.position": CANARY,
}
UNKNOWN: Values = {
    "nickname": CANARY,
    "person.height": CANARY,
    "charges[0].count": 3,
    f"{SUBSTANCE}.purity": CANARY,
    "id": f"ref_{CANARY}",
    "state": "REFERRAL_STATE_APPROVED",
    "screening": {"result": "SCREENING_RESULT_ELIGIBLE"},
    "reference": {"subjectId": f"sub_{CANARY}"},
    "attestations[0].offence": CANARY,
    "attestations[0].court": CANARY,
}
NEVER_CARRIED: Values = {
    "fbiNumber": CANARY,
    "person.sid": CANARY,
    "person.stateIdNumber": CANARY,
    "person.ncicNumber": CANARY,
    "person.hivStatus": CANARY,
    "criminalHistory": [CANARY],
    "psychotherapyNotes": CANARY,
    "informant": CANARY,
}
# The local id is written in full-width characters.
SHAPES: Values = {
    "narrative": f"{CANARY} has WA12345678 on file",
    "person.givenName": f"{CANARY} 123456AB7",
    "person.localIds[0]": {"agencyId": POLICE, "id": "".join(chr(ord(one) + 0xFEE0) for one in "WA12345678")},
    "contact.address": f"{CANARY} SID: 1234567",
    "contact.whereFound": f"UCN ABC123456 {CANARY}",
    "charges[0].description": f"{CANARY} FBI no. 123456AB7",
    "officer.name": f"{CANARY} NCIC",
    "victim.restitution": f"{CANARY} is HIV positive",
}
AMOUNTS: dict[str, Values] = {
    "negative": {"quantity": "-1"},
    "zero": {"quantity": "0.000"},
    "absurd": {"quantity": "1e99"},
    "too much": {"quantity": "99999999"},
    "no number": {"quantity": "NaN"},
    "infinite": {"quantity": "Infinity"},
    "words": {"quantity": CANARY},
}
TIMES: dict[str, Values] = {
    "ahead": {"referralTime": drafts.ago(minutes=-6), "incidentTime": drafts.ago(days=-1)},
    "no such day": {"referralTime": "2026-02-30T10:00:00Z", "incidentTime": f"{CANARY}T10:00:00Z"},
    "year one": {"referralTime": "0001-01-01T00:00:00Z", "incidentTime": "0001-01-01T00:00:00+14:00"},
    "long ago": {"referralTime": "1899-12-31T23:59:59Z", "incidentTime": "0001-01-01T00:00:00Z"},
    "the end": {"referralTime": "9999-12-31T23:59:59Z", "incidentTime": "9999-12-31T23:59:59.999999999Z"},
    "checked ahead": {"attestations[0].checkedTime": drafts.ago(hours=-1)},
}
BIRTHS = ("2999-01-01", "2999", "1990-02-30", "1990-13", "0000-00-00", "1066-10-14", "05/05/1985", CANARY)


@pytest.mark.parametrize(
    "values",
    [TYPES, WORDS, UNKNOWN, NEVER_CARRIED, SHAPES, *TIMES.values()],
    ids=["types", "words", "unknown", "never carried", "shapes", *TIMES],
)
@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_referral_is_named_at_once(values: Values, officer: Client, tried: Tried) -> None:
    paths = {path if path != "source" else "source.version" for path in values}
    # Where the value is an object, the field inside it is what is wrong.
    paths = {f"{path}.id" if path.endswith("localIds[0]") else path for path in paths}
    answer = officer.post("/v1/referrals", wrong(draft(), values))
    if values is TIMES["year one"]:
        # One of them is no time in UTC at all, and is seen before anything is looked at.
        tried.refused(answer, 400, "incidentTime")
        return
    tried.refused(answer, 400, *paths, reason="INVALID_FIELDS")


@pytest.mark.parametrize("values", AMOUNTS.values(), ids=list(AMOUNTS))
@pytest.mark.usefixtures("unchanged")
def test_an_amount_that_cannot_be_is_refused(values: Values, officer: Client, tried: Tried) -> None:
    body = wrong(draft(), {f"{SUBSTANCE}.{name}": value for name, value in values.items()})
    tried.refused(officer.post("/v1/referrals", body), 400, f"{SUBSTANCE}.quantity")


@pytest.mark.usefixtures("unchanged")
def test_an_amount_needs_its_unit(officer: Client, tried: Tried) -> None:
    body = wrong(draft(), {SUBSTANCE: {"drug": CANARY, "quantity": "0.5"}})
    tried.refused(officer.post("/v1/referrals", body), 400, f"{SUBSTANCE}.unit")


@pytest.mark.parametrize("born", BIRTHS)
@pytest.mark.usefixtures("unchanged")
def test_a_birth_date_that_cannot_be_is_refused(born: str, officer: Client, tried: Tried) -> None:
    body = wrong(draft(), {"person.birthDate": born})
    tried.refused(officer.post("/v1/referrals", body), 400, "person.birthDate")


@pytest.mark.usefixtures("unchanged")
def test_somebody_under_age_is_refused(officer: Client, tried: Tried) -> None:
    for born in (drafts.ago(days=17 * 365)[:10], drafts.ago(days=17 * 365)[:4], drafts.ago(days=30)[:10]):
        body = wrong(draft(), {"person.birthDate": born})
        tried.refused(officer.post("/v1/referrals", body), 400, "person.birthDate", canary=born)


def test_a_birth_year_that_leaves_the_age_open_needs_info_and_is_not_refused(officer: Client) -> None:
    year = str(int(drafts.ago()[:4]) - 18)
    answer = officer.post("/v1/referrals", wrong(draft(), {"person.birthDate": year}))
    assert answer.status == 200, answer.raw
    assert answer["referral"]["state"] == "REFERRAL_STATE_NEEDS_INFO"


@pytest.mark.usefixtures("unchanged")
def test_nobody_is_referred_under_a_name_of_blanks(officer: Client, tried: Tried) -> None:
    body = wrong(draft(), {"person.givenName": " ", "person.familyName": "\t"})
    tried.refused(officer.post("/v1/referrals", body), 400, "person.familyName")


@pytest.mark.parametrize("count", [501, 5_001])
@pytest.mark.usefixtures("unchanged")
def test_a_referral_has_not_thousands_of_charges(count: int, officer: Client, tried: Tried) -> None:
    body = wrong(draft(), {"charges": [{"offenseCode": "35A", "description": CANARY}] * count})
    tried.refused(officer.post("/v1/referrals", body), 400, "charges")


DEEP = b'{"person":' * 2_000 + b"1" + b"}" * 2_000
BODIES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("",)),
    "null": (b"null", ("",)),
    "a list": (b"[]", ("",)),
    "a text": (f'"{CANARY}"'.encode(), ("",)),
    "not JSON": (CANARY.encode(), ("",)),
    "cut": (f'{{"narrative":"{CANARY}'.encode(), ("",)),
    "two": (b"{}{}", ("",)),
    "NaN": (b'{"source":{"version":NaN}}', ("source.version",)),
    "no UTF-8": (b'{"narrative":"' + CANARY.encode() + b'\xff\xfe"}', ("",)),
    "UTF-16": (f'{{"narrative":"{CANARY}"}}'.encode("utf-16"), ("",)),
    "half a character": (b'{"narrative":"\\ud800' + CANARY.encode() + b'"}', ("narrative",)),
    "a NUL": (b'{"narrative":"\\u0000' + CANARY.encode() + b'"}', ("narrative",)),
    "deep": (DEEP, ("",)),
    "brackets": (b"[" * 100_000, ("",)),
    "long digits": (b'{"source":{"version":' + b"9" * 50_000 + b"}}", ("source.version",)),
}
DOUBLED = (
    b'{"door":"DOOR_COMMUNITY","door":"zqcanaria","site_id":"a","siteId":"zqcanaria",'
    b'"person":{"givenName":"a","givenName":"zqcanaria"},"charges":[{"statute":"a","statute":"zqcanaria"}]}'
)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.usefixtures("unchanged")
def test_a_body_that_is_no_referral_is_refused(name: str, officer: Client, tried: Tried) -> None:
    body, paths = BODIES[name]
    tried.refused(ask(officer, "POST", "/v1/referrals", content=body, headers=JSON), 400, *paths)


@pytest.mark.usefixtures("unchanged")
def test_a_key_that_comes_twice_is_refused_wherever_it_stands(officer: Client, tried: Tried) -> None:
    answer = ask(officer, "POST", "/v1/referrals", content=DOUBLED, headers=JSON)
    tried.refused(answer, 400, "door", "siteId", "person.givenName", "charges[0].statute")


@pytest.mark.usefixtures("unchanged")
def test_a_body_over_the_limit_is_refused(officer: Client, tried: Tried) -> None:
    for body in (b" " * (1024 * 1024 + 1), CANARY.encode() * 2_000_000):
        tried.refused(ask(officer, "POST", "/v1/referrals", content=body, headers=JSON), 413, reason="BODY_TOO_LARGE")
    in_parts = ask(officer, "POST", "/v1/referrals", content=iter([b" " * 600_000] * 2), headers=JSON)
    tried.refused(in_parts, 413, reason="BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=no"]
)
@pytest.mark.usefixtures("unchanged")
def test_a_body_of_another_type_is_refused(kind: str, officer: Client, tried: Tried) -> None:
    answer = ask(officer, "POST", "/v1/referrals", content=json.dumps(draft()), headers={"content-type": kind})
    tried.refused(answer, 415, reason="UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.usefixtures("unchanged")
def test_a_dry_run_is_as_strict_as_a_referral(officer: Client, tried: Tried) -> None:
    values = {f"{SUBSTANCE}.quantity": "-1", "person.birthDate": "2999", "narrative": f"SID WA12345678 {CANARY}"}
    tried.refused(officer.post("/v1/referrals:screen", wrong(draft(), values)), 400, *values)


# Values of every kind where a referral has others; each text holds the canary. Names of fields are told, values never.
_NAMES = st.sampled_from(
    ["id", "agencyId", "name", "rule", "answer", "quantity", "present", "nickname", "", "ü", "a b"]
)
_TEXTS = st.text(max_size=20).map(lambda text: CANARY + text)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=6
)
_PLACES = st.sampled_from(
    [
        *(*draft(), "agencyOri", "source.system", "source.version", "person.birthDate", "person.localIds"),
        *("contact.phones", "charges[0].statute", f"{SUBSTANCE}.quantity", "victim.position", "attestations[0]"),
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(_PLACES, _VALUES, min_size=1, max_size=4))
def test_no_referral_however_wrong_is_answered_by_a_5xx(values: Values, officer: Client, tried: Tried) -> None:
    try:
        body = wrong(draft(), values)
    except (TypeError, AttributeError, KeyError):
        # Two places of which one lies in what the other replaced.
        return
    answer = officer.post("/v1/referrals", body)
    assert answer.status in {200, 400, 409}, answer.raw
    if answer.status == 400:
        tried.refused(answer, 400, *(one["path"] for one in answer["violations"]))
