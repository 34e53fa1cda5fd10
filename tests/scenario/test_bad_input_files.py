"""Wrong RMS files: hostile XML never opens anything, a bad report is rejected by its paths, and the good ones stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

from services.command.demo.client import Answer, Client
from tests.scenario.attempts import CANARY, Tried, ask, held

pytestmark = pytest.mark.timeout(180)
POLICE = "sample-rms-police"
PATH, XML = "/v1/incidents:import", "application/xml"
SAMPLE = (files("services.command") / "sample" / "nibrs_incident.xml").read_bytes()
PROLOG, BODY = SAMPLE.split(b"\n", 1)
REPORT = BODY[BODY.index(b"  <nibrs:Report>") : BODY.index(b"</nibrs:Submission>")]
NUMBER = b"26S-000101"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def rms(client: Callable[..., Client]) -> Client:
    return client("police_rms", POLICE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, rms: Client) -> Iterator[None]:
    yield
    tried.still_serves(rms)
    tried.logs_are_clean()


@pytest.fixture
def unchanged(rms: Client) -> Iterator[None]:
    before = held(rms, "/v1/incidents", "incidents")
    yield
    assert held(rms, "/v1/incidents", "incidents") == before


def with_doctype(doctype: str, use: str = "1") -> bytes:
    return b"\n".join((PROLOG, doctype.encode(), BODY.replace(NUMBER, use.encode())))


ENTITIES = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "text": CANARY.encode(),
    "JSON": b'{"zqcanaria":1}',
    "another root": b"<zqcanaria/>",
    "no report": SAMPLE.replace(REPORT, b""),
    "cut": SAMPLE[: len(SAMPLE) // 2],
    "cut in a tag": SAMPLE[: SAMPLE.index(b"<j:Arrestee") + 5],
    "two roots": SAMPLE + b"<zqcanaria/>",
    "entity bomb": with_doctype(f'<!DOCTYPE s [<!ENTITY e0 "{CANARY}">{ENTITIES}]>', "&e9;"),
    "external entity": with_doctype('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]>', "&x;"),
    "entity of another host": with_doctype('<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', "&x;"),
    "parameter entity": with_doctype('<!DOCTYPE s [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>'),
    "external DTD": with_doctype('<!DOCTYPE s SYSTEM "http://127.0.0.1:9/x.dtd">'),
    "DOCTYPE": with_doctype("<!DOCTYPE s>"),
    "undeclared entity": SAMPLE.replace(NUMBER, b"&zqcanaria;"),
    "Latin-1": SAMPLE.replace(b"UTF-8", b"ISO-8859-1").replace(NUMBER, b"zqcanaria\xe9"),
    "UTF-16": SAMPLE.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "no UTF-8": SAMPLE.replace(NUMBER, b"zqcanaria\xff"),
    "a NUL": SAMPLE.replace(NUMBER, b"zqcanaria\0"),
    "deep": SAMPLE.replace(NUMBER, b"<a>" * 20_000 + b"</a>" * 20_000),
    "attributes": SAMPLE.replace(
        b"<nc:Substance>", b"<nc:Substance " + b" ".join(b'a%d=""' % n for n in range(500)) + b">"
    ),
    "a long name": SAMPLE.replace(NUMBER, b"<" + b"a" * 2_000_000 + b"/>"),
    "a long text": SAMPLE.replace(NUMBER, CANARY.encode() * 1_500_000),
    "5,001 reports": SAMPLE.replace(REPORT, b"<nibrs:Report/>" * 5_001),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.usefixtures("unchanged")
def test_a_file_that_is_no_submission_is_refused_as_a_whole(name: str, rms: Client, tried: Tried) -> None:
    tried.refused(rms.send(PATH, HOSTILE[name], XML), 400, reason="INVALID_NIBRS")


@pytest.mark.parametrize("size", [16 * MIB + 1, 20 * MIB])
@pytest.mark.usefixtures("unchanged")
def test_a_file_over_the_limit_is_refused(size: int, rms: Client, tried: Tried) -> None:
    data = SAMPLE + b" " * (size - len(SAMPLE))
    tried.refused(rms.send(PATH, data, XML), 413, reason="BODY_TOO_LARGE")


def test_a_file_of_16_mib_is_read(rms: Client) -> None:
    data = SAMPLE.replace(NUMBER, b"26S-900001")
    answer = rms.send(PATH, data + b" " * (16 * MIB - len(data)), XML)
    assert answer.status == 200, answer.raw
    assert {one["outcome"] for one in answer["results"]} <= {"IMPORT_OUTCOME_CREATED", "IMPORT_OUTCOME_UNCHANGED"}


@pytest.mark.parametrize("kind", ["application/json", "text/csv", "xml", "application/xml; charset", ""])
@pytest.mark.usefixtures("unchanged")
def test_a_file_of_another_type_is_refused(kind: str, rms: Client, tried: Tried) -> None:
    answer = ask(rms, "POST", PATH, content=SAMPLE, headers={"content-type": kind})
    tried.refused(answer, 415, reason="UNSUPPORTED_MEDIA_TYPE")


def change(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def changed(report: bytes) -> bytes:
        assert old in report
        return report.replace(old, new, 1)

    return changed


HEADER = "nibrs:ReportHeader"
BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another agency's": (change(b"ZZ0000100", b"ZZ0000999"), "nibrs:ReportingAgency"),
    "no number": (change(b"26S-000199", b"zqcanaria!?<!-- -->"), "nc:IdentificationID"),
    "no category": (change(b"GROUP A INCIDENT REPORT", b"ZQCANARIA"), "nibrs:NIBRSReportCategoryCode"),
    "no action": (change(b"Code>I<", b"Code>ZQCANARIA<"), "nibrs:ReportActionCategoryCode"),
    "an unknown offence": (change(b"UCRCode>35A<", b"UCRCode>ZQCANARIA<"), "nibrs:OffenseUCRCode"),
    "a negative amount": (change(b">1.2<", b">-1.2<"), "nc:MeasureDecimalValue"),
    "an absurd amount": (change(b">1.2<", b">1e99<"), "nc:MeasureDecimalValue"),
    "an unknown unit": (change(b"Code>GM<", b"Code>ZQCANARIA<"), "j:SubstanceUnitCode"),
    "an age of nobody": (change(b">34<", b">-34<"), "nc:MeasureIntegerValue"),
    "a day ahead": (change(b"2026-02-27T21", b"2999-02-27T21"), "nc:DateTime"),
    "a day of no calendar": (change(b"2026-02-27T21", b"2026-02-30T21"), "nc:DateTime"),
    "a number of the FBI": (change(b">SEIZED<", b">zqcanaria FBI 123456AB7<"), "/*["),
    "a state's number": (change(b">SEIZED<", b">zqcanaria WA12345678<"), "/*["),
    "a name never carried": (change(b"<nc:Substance>", b"<nc:Substance><j:PersonFBIIdentification/>"), "/*["),
    "no such person": (change(b'ref="PersonArrestee1"', b'ref="zqcanaria"'), "nc:RoleOfPerson"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_report_is_rejected_by_its_path_and_the_others_stand(name: str, rms: Client) -> None:
    spoil, where = BAD[name]
    good, bad = REPORT.replace(NUMBER, b"26S-000198"), spoil(REPORT.replace(NUMBER, b"26S-000199"))
    before = _numbers(rms)
    results = _results(rms.send(PATH, SAMPLE.replace(REPORT, bad + good), XML))
    rejected = [one for one in results if one["outcome"] == "IMPORT_OUTCOME_REJECTED"]
    assert len(rejected) == 1
    assert any(where in each["path"] for each in rejected[0]["violations"]), rejected
    assert all(each["path"].startswith("/nibrs:Submission/nibrs:Report[1]") for each in rejected[0]["violations"])
    assert "incidentId" not in rejected[0]
    # Two people were arrested in the good one.
    assert len(results) == 3
    assert _numbers(rms) == before | {"26S-000198"}


def test_all_that_is_wrong_with_a_report_is_named_at_once(rms: Client) -> None:
    spoiled = REPORT.replace(NUMBER, b"26S-000199")
    wanted = ("a negative amount", "an unknown offence", "an age of nobody", "a day ahead")
    for name in wanted:
        spoiled = BAD[name][0](spoiled)
    (rejected,) = _results(rms.send(PATH, SAMPLE.replace(REPORT, spoiled), XML))
    paths = " ".join(each["path"] for each in rejected["violations"])
    assert all(BAD[name][1] in paths for name in wanted), paths


def test_a_delete_of_what_was_never_sent_changes_nothing(rms: Client) -> None:
    deleted = (files("services.command") / "sample" / "nibrs_incident_deleted.xml").read_bytes()
    before = held(rms, "/v1/incidents", "incidents")
    (result,) = _results(rms.send(PATH, deleted.replace(NUMBER, b"26S-777777"), XML))
    assert result["outcome"] == "IMPORT_OUTCOME_UNKNOWN_RECORD"
    assert held(rms, "/v1/incidents", "incidents") == before


def _results(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.raw
    assert CANARY.encode() not in answer.raw.lower()
    assert b"Traceback" not in answer.raw
    found: list[dict[str, Any]] = answer["results"]
    return found


def _numbers(rms: Client) -> set[str]:
    return {row["incidentNumber"] for row in held(rms, "/v1/incidents", "incidents")}
