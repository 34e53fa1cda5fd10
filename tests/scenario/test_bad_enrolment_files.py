"""Wrong files of enrolments: refused whole when they are no file, else row by row, without a value; good rows stand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.command.demo import drafts
from services.command.demo.client import Answer, Client
from services.command.demo.story import Person
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, Tried, ask, held, named

pytestmark = pytest.mark.timeout(180)
HOUSING, PATH = "sample-housing", "/v1/enrollments:batch"
JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
COLUMNS = ("recordId", "system", "serviceReferralId", "status", "startTime", "endTime")
MIB = 1024 * 1024
Cells = Mapping[str, str]


@pytest.fixture(scope="module")
def system(client: Callable[..., Client]) -> Client:
    return client("provider_system", HOUSING)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, system: Client) -> Iterator[None]:
    yield
    tried.still_serves(system)
    tried.logs_are_clean()


@pytest.fixture
def unchanged(system: Client, delta: Person) -> Iterator[None]:
    def seen() -> list[object]:
        return [held(system, f"/v1/{each}", each) for each in ("enrollments", "serviceReferrals")]

    before = seen()
    yield
    assert seen() == before


@pytest.fixture
def fine(delta: Person) -> dict[str, str]:
    """A row that would be taken."""
    return {
        "recordId": f"FILE-{new_id('evt')}",
        "system": "sample-rooms",
        "serviceReferralId": delta.services[f"asked {HOUSING}"],
        "status": "ENROLLED",
        "startTime": drafts.ago(days=1)[:10],
        "endTime": "",
    }


def csv(*rows: Cells | str) -> bytes:
    lines = (row if isinstance(row, str) else ",".join(row[name] for name in COLUMNS) for row in rows)
    return "\n".join([",".join(COLUMNS), *lines]).encode()


def as_json(row: Cells) -> dict[str, Any]:
    inner = {name: row[name] for name in ("recordId", "system")}
    return {name: text for name, text in row.items() if name not in inner and text} | {"source": inner}


def outcomes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(row["outcome"]).removeprefix("BATCH_OUTCOME_") for row in rows]


# What is no file

ROW = f"R-1,sample-rooms,{CANARY},ENROLLED,2026-01-01,"
NO_FILE: Mapping[str, tuple[bytes, str, Sequence[str]]] = {
    "empty CSV": (b"", CSV, ["file"]),
    "a byte order mark alone": (b"\xef\xbb\xbf", CSV, ["file"]),
    "UTF-16": (csv(ROW).decode().encode("utf-16"), CSV, ["file"]),
    "UTF-16 NDJSON": (f'{{"status":"{CANARY}"}}'.encode("utf-16"), NDJSON, ["file"]),
    "Latin-1": (csv(ROW.replace("ENROLLED", f"{CANARY}é")).decode().encode("latin-1"), CSV, ["file"]),
    "no UTF-8": (f'[{{"status":"{CANARY}'.encode() + b'\xff"}]', JSON, ["file"]),
    "a charset": (csv(ROW), f"{CSV}; charset=iso-8859-1", ["file"]),
    "an unknown column": (csv(ROW).replace(b"endTime", CANARY.encode()), CSV, ["file.header[5]"]),
    "a doubled column": (csv(ROW).replace(b"endTime", b"status"), CSV, ["file.header[3]", "file.header[5]"]),
    "a number of the FBI": (csv(ROW).replace(b"endTime", b"fbiNumber"), CSV, ["file.header[5]"]),
    "a NUL in a name": (csv(ROW).replace(b"status", b"sta\0tus"), CSV, ["file.header", "file.header[3]"]),
    "no header": (ROW.encode(), CSV, ["file.header", *(f"file.header[{place}]" for place in range(6))]),
    "a header without its quote": (b'"' + csv(ROW), CSV, ["file.header"]),
    "columns that are missing": (b"status,endTime\n", CSV, ["file.header"]),
    "65 columns": (",".join([CANARY] * 65).encode(), CSV, ["file.header"]),
    "5,001 rows of CSV": (csv(*[ROW] * 5_001), CSV, ["file"]),
    "5,001 rows of JSON": (json.dumps([{"status": CANARY}] * 5_001).encode(), JSON, ["file"]),
    "5,001 rows of NDJSON": (b"{}\n" * 5_001, NDJSON, ["file"]),
    "no JSON": (CANARY.encode(), JSON, ["file"]),
    "cut JSON": (f'[{{"status":"{CANARY}"'.encode(), JSON, ["file"]),
    "two values": (b"[][]", JSON, ["file"]),
    "a number": (b"7", JSON, ["file"]),
    "NaN": (b'[{"source":{"version":NaN}}]', JSON, ["file"]),
    "brackets": (b"[" * 200_000, JSON, ["file"]),
    "deep": (b'{"enrollments":' * 50_000, JSON, ["file"]),
    "other names": (f'{{"enrollments":[],"{CANARY}":1}}'.encode(), JSON, ["file"]),
    "the list twice": (f'{{"enrollments":[{{"status":"{CANARY}"}}],"enrollments":[{{}}]}}'.encode(), JSON, ["file"]),
}


@pytest.mark.usefixtures("unchanged")
def test_a_file_that_is_none_is_refused_as_a_whole(system: Client, tried: Tried) -> None:
    for data, kind, paths in NO_FILE.values():
        tried.refused(system.send(PATH, data, kind), 400, *paths, reason="INVALID_FIELDS")


@pytest.mark.usefixtures("unchanged")
def test_a_file_over_the_limit_or_of_another_type_is_refused(
    system: Client, fine: dict[str, str], tried: Tried
) -> None:
    tried.refused(system.send(PATH, csv(fine) + b" " * 16 * MIB, CSV), 413, reason="BODY_TOO_LARGE")
    for kind in ("", "text/plain", "application/xml", "csv", "multipart/form-data"):
        answer = ask(system, "POST", PATH, content=csv(fine), headers={"content-type": kind})
        tried.refused(answer, 415, reason="UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.usefixtures("unchanged")
def test_a_file_of_5000_rows_in_which_all_is_wrong_is_answered_row_by_row(system: Client, tried: Tried) -> None:
    strange = ",".join(f'"n{number:02d}{"x" * 60}":1' for number in range(30))
    data = f"[{','.join([f'{{{strange},{strange}}}'] * 1_500)},{','.join(['7'] * 3_500)}]".encode()
    rows = tried.results(system.send(PATH, data, JSON))
    assert outcomes(rows) == ["REJECTED"] * 5_000
    assert all({"status", "startTime"} < named(row) for row in rows[:1_500])


def test_names_that_come_twice_are_counted_once_over(system: Client, tried: Tried) -> None:
    """An object of so many names would be looked through for hours if each were counted by itself."""
    names = b",".join(b'"a%d":1' % number for number in range(200_000))
    (row,) = tried.results(system.send(PATH, b"[{" + names + b',"status":"a","status":"b"}]', JSON))
    assert "status" in named(row)


# Rows

CHANGED: Mapping[str, tuple[Cells, Sequence[str]]] = {
    "an unknown word": ({"status": CANARY}, ["status"]),
    "a word with a number": ({"status": "1"}, ["status"]),
    "days of no calendar": ({"startTime": "2026-02-30", "endTime": CANARY}, ["startTime", "endTime"]),
    "days ahead": ({"startTime": "2999-01-01"}, ["startTime"]),
    "days of long ago": ({"startTime": "1066-10-14", "endTime": "0001-01-01"}, ["startTime", "endTime"]),
    "an end before the beginning": ({"status": "COMPLETED", "endTime": "2020-01-01"}, ["endTime"]),
    "an end of what goes on": ({"endTime": drafts.ago()[:10]}, ["endTime"]),
    "somebody else's": ({"serviceReferralId": f"srf_{CANARY}"}, ["serviceReferralId"]),
    "an absent one": ({"serviceReferralId": new_id("srf")}, ["serviceReferralId"]),
    "nothing": (dict.fromkeys(COLUMNS, ""), []),
    "no keys": (
        {"recordId": "", "system": "", "serviceReferralId": ""},
        ["recordId", "system", "serviceReferralId", "serviceId"],
    ),
    "formulas": (
        {"recordId": "=1", "system": f"+{CANARY}", "serviceReferralId": "-2", "status": "@A", "startTime": "\t1"},
        ["recordId", "system", "serviceReferralId", "status", "startTime", "serviceId"],
    ),
    "a NUL": ({"system": f"{CANARY}\0"}, ["system"]),
    "a bell": ({"status": f"{CANARY}\u0007"}, ["status"]),
    "other letters": ({"recordId": f"{CANARY}é", "system": f"{CANARY} é"}, ["recordId", "system"]),
    "long names": ({"recordId": CANARY * 20, "system": CANARY * 10}, ["recordId", "system"]),
}
BROKEN: Mapping[str, str] = {
    "a quote that is never closed": f'"R,sample-rooms,{CANARY},ENROLLED,2026-01-01,',
    "a quote in the middle": f'R,"sample"-rooms,{CANARY},ENROLLED,2026-01-01,',
    "too few cells": f"R,{CANARY}",
    "too many cells": f"R,sample-rooms,{CANARY},ENROLLED,2026-01-01,,,",
}


def test_a_bad_row_of_csv_names_its_columns_and_the_others_stand(
    system: Client, fine: dict[str, str], tried: Tried
) -> None:
    bad = {name: {**fine, **changed} for name, (changed, _) in CHANGED.items() if name != "nothing"}
    data = b"\xef\xbb\xbf" + csv(*bad.values(), fine, *BROKEN.values(), fine | {"recordId": f"{fine['recordId']}-2"})
    before = Counter(row["id"] for row in held(system, "/v1/enrollments", "enrollments"))
    rows = tried.results(system.send(PATH, data, CSV))
    wished = [*(sorted(CHANGED[name][1]) for name in bad), [], *(["row"] for _ in BROKEN), []]
    assert [sorted(named(row)) for row in rows] == wished
    assert [row["line"] for row in rows] == list(range(2, len(rows) + 2))
    assert set(outcomes(rows)) == {"REJECTED", "CREATED"}
    made = [row["enrollmentId"] for row in rows if "enrollmentId" in row]
    after = Counter(row["id"] for row in held(system, "/v1/enrollments", "enrollments"))
    assert after - before == Counter(made)
    assert len(made) == 2
    again = tried.results(system.send(PATH, data.replace(b"\n", b"\r\n"), CSV))
    assert [row["outcome"].replace("UNCHANGED", "CREATED") for row in again] == [row["outcome"] for row in rows]


VALUES: Mapping[str, tuple[Any, Sequence[str]]] = {
    "a number": (7, [""]),
    "nothing": (None, [""]),
    "a list": ([[CANARY]], [""]),
    "types": (
        {"status": [CANARY], "startTime": {CANARY: 1}, "endTime": True, "serviceId": 1.5},
        ["status", "startTime", "endTime", "serviceId"],
    ),
    "a source that is a text": ({"source": CANARY}, ["source", "source.recordId", "source.system"]),
    "a source of types": (
        {"source": {"system": [CANARY], "recordId": {}, "version": 1.5}},
        ["source.system", "source.recordId", "source.version"],
    ),
    "versions": ({"source": {"system": "s", "recordId": "r", "version": "-1"}}, ["source.version"]),
    "long digits": ({"source": {"system": "s", "recordId": "r", "version": 10**40}}, ["source.version"]),
    "unknown": (
        {"diagnosis": CANARY, "fbiNumber": CANARY, f"not a {CANARY}": 1, "personName": CANARY},
        ["diagnosis", "fbiNumber", "?", "personName"],
    ),
    "half a character": ({"status": "\ud800"}, ["status"]),
    "a NUL": ({"status": f"{CANARY}\0"}, ["status"]),
    "two people": ({"participantId": CANARY}, ["participantId"]),
}


@pytest.mark.parametrize("kind", [JSON, NDJSON])
@pytest.mark.usefixtures("unchanged")
def test_a_bad_row_of_json_names_its_fields(kind: str, system: Client, fine: dict[str, str], tried: Tried) -> None:
    base = as_json(fine)
    sent = [base | value if isinstance(value, dict) else value for value, _ in VALUES.values()]
    lines = [json.dumps(each) for each in sent]
    doubled = f'{{"status":"{CANARY}","status":"ENROLLED","source":{{"system":"{CANARY}","system":"a"}}}}'
    whole = f"[{','.join([*lines, doubled])}]" if kind == JSON else "\n".join([*lines, doubled])
    rows = tried.results(system.send(PATH, whole.encode(), kind))
    assert outcomes(rows) == ["REJECTED"] * len(rows)
    for row, (name, (_, paths)) in zip(rows, VALUES.items(), strict=False):
        assert sorted(named(row)) == sorted(paths), name
    assert {"status", "source.system", "source.recordId", "startTime"} < named(rows[-1])


@pytest.mark.usefixtures("unchanged")
def test_a_line_that_is_no_json_spoils_no_other(system: Client, tried: Tried) -> None:
    lines = [b"[" * 100_000, b"{}", b"{} {}", b"", b"{", CANARY.encode(), b"NaN", b'{"a":' * 5_000, b"[]"]
    rows = tried.results(system.send(PATH, b"\n".join(lines), NDJSON))
    assert [row["line"] for row in rows] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert [named(row) == {""} for row in rows] == [True, False, *[True] * 6]


def test_a_row_that_comes_twice_with_another_body_is_told_so(
    system: Client, fine: dict[str, str], tried: Tried
) -> None:
    """Out of order and twice in one file: each is judged by what the one before it left."""
    source = {"system": "sample-rooms", "recordId": fine["recordId"]}
    started = {name: fine[name] for name in ("serviceReferralId", "status", "startTime")}

    def version(number: int, **more: Any) -> dict[str, Any]:
        return started | {"source": source | {"version": str(number)}} | more

    ended = {"status": "COMPLETED", "endTime": drafts.ago()[:10]}
    sent = [version(2), version(2), version(2, **ended), version(1), version(3, **ended), started | {"source": source}]
    rows = tried.results(system.send(PATH, json.dumps(sent).encode(), JSON))
    assert outcomes(rows) == ["CREATED", "UNCHANGED", "REJECTED", "STALE", "REPLACED", "REJECTED"]
    assert named(rows[2]) == named(rows[5]) == {"source.version"}
    shown = system.get(f"/v1/enrollments/{rows[0]['enrollmentId']}")["enrollment"]
    assert (shown["status"], shown["source"]["version"]) == ("ENROLLMENT_STATUS_COMPLETED", "3")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([JSON, NDJSON, CSV]),
    parts=st.lists(
        st.binary(max_size=12)
        | st.sampled_from([b'"', b",", b"\n", b"\r", b"{", b"}", b"[", b"]", b":", b'"status"', b"=", b"\0", b"\xff"])
        | st.just(CANARY.encode()),
        max_size=12,
    ),
)
def test_no_file_however_wrong_is_answered_by_a_5xx(
    kind: str, parts: list[bytes], system: Client, tried: Tried
) -> None:
    head = csv() + b"\n" if kind == CSV else b""
    answer: Answer = system.send(PATH, head + b"".join(parts), kind)
    if answer.status == 200:
        assert set(outcomes(tried.results(answer))) <= {"REJECTED"}
    else:
        tried.refused(answer, 400, *(one["path"] for one in answer["violations"]))
