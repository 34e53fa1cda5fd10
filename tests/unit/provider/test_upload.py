"""Files of enrolments: whatever the bytes, a list of rows or a refusal, and never half of a row."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.provider.upload import csv_file, json_file, ndjson_file
from services.provider.upload.drafts import Row, row_of
from services.provider.upload.read import read
from services.provider.upload.rows import COLUMNS, MOST_BYTES, Cells
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON
from tests.unit.provider.builders import REFERRAL, SERVICE

HEADER = ",".join(COLUMNS)
KINDS = ("text/csv", "application/json", "application/x-ndjson")
SEATTLE = ZoneInfo("America/Los_Angeles")
ROW = {
    "recordId": "R-1",
    "version": "3",
    "system": "ehr",
    "serviceId": SERVICE,
    "serviceReferralId": REFERRAL,
    "participantId": "",
    "status": "COMPLETED",
    "startTime": "2026-02-20",
    "endTime": "2026-02-28T17:30:00-08:00",
}


def rows(kind: str, data: bytes) -> list[Row]:
    return [row_of(each, NOON, SEATTLE) for each in read(kind, data)]


def rows_or_none(kind: str, data: bytes) -> list[Row]:
    """Return the rows of a file, none of one that is refused as a whole, which is the only other thing to happen."""
    try:
        return rows(kind, data)
    except LeadError as error:
        if error.code is not Code.INVALID_ARGUMENT:
            raise
        return []


def a_line(**said: str) -> str:
    return ",".join((ROW | said).values())


@given(st.sampled_from(KINDS), st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused_and_never_crash(kind: str, data: bytes) -> None:
    assert all(each.wrong for each in rows_or_none(kind, data))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_behind_a_header_make_rows_or_a_refusal(data: bytes) -> None:
    assert all(each.wrong for each in rows_or_none("text/csv", f"{HEADER}\n".encode() + data))


@given(st.lists(st.text(max_size=30), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_a_row_is_whole_or_names_what_is_wrong(cells: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    data = f"{HEADER}\n{text.getvalue()}".encode("utf-8", "surrogatepass")
    for row in rows_or_none("text/csv", data):
        assert row.wrong
        assert all(each.path in {*COLUMNS, "row"} for each in row.wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from((*COLUMNS, "source", "x")) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_arbitrary_json_is_judged_row_by_row(values: list[Any]) -> None:
    data = json.dumps(values, allow_nan=False, default=str) if _is_finite(values) else json.dumps([])
    found = rows("application/json", data.encode("utf-8", "surrogatepass"))
    assert [each.line for each in found] == list(range(1, len(found) + 1))
    assert all(each.wrong for each in found)


@given(
    st.lists(
        st.tuples(
            st.text("ABCabc019 ._-\"',;", max_size=12).map(str.strip), st.sampled_from(("ENROLLED", "ACTIVE", "nope"))
        ),
        max_size=5,
    )
)
@settings(max_examples=60)
def test_what_a_csv_writer_writes_is_read_cell_by_cell(said: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for record_id, status in said:
        writer.writerow((ROW | {"recordId": record_id, "status": status}).values())
    found = csv_file.read(text.getvalue().encode())
    assert [each.values.get("status") for each in found] == [status for _, status in said]
    for cells, (record_id, _) in zip(found, said, strict=True):
        is_formula = record_id.startswith(("=", "+", "-", "@"))
        assert cells.values.get("recordId") == (None if is_formula else record_id)


def test_a_good_row_becomes_a_draft_and_days_begin_at_the_site() -> None:
    (row,) = rows("text/csv", f"{HEADER}\n{a_line()}\n".encode())
    draft = row.draft
    assert row.wrong == ()
    assert row.key == "ehr/R-1"
    assert (draft.service_referral_id, draft.source.version, draft.status) == (REFERRAL, 3, 3)
    assert draft.start_time.ToJsonString() == "2026-02-20T08:00:00Z"
    assert draft.end_time.ToJsonString() == "2026-03-01T01:30:00Z"


def test_every_format_says_the_same() -> None:
    value = {
        **{name: ROW[name] for name in ("serviceId", "serviceReferralId", "status", "startTime", "endTime")},
        "source": {"system": "ehr", "recordId": "R-1", "version": 3},
    }
    line = json.dumps(value)
    drafts = [
        rows("text/csv", f"{HEADER}\n{a_line()}".encode())[0].draft,
        rows("application/json", f"[{line}]".encode())[0].draft,
        rows("application/x-ndjson", f"{line}\n".encode())[0].draft,
    ]
    assert drafts[0] == drafts[1] == drafts[2]


@pytest.mark.parametrize("status", ["ACTIVE", "ENROLLMENT_STATUS_ACTIVE"])
def test_a_status_may_carry_its_prefix(status: str) -> None:
    (row,) = rows("text/csv", f"{HEADER}\n{a_line(status=status, endTime='')}".encode())
    assert (row.wrong, row.draft.status) == ((), 2)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("version", "1.5"),
        ("version", "99999999999999999999"),
        ("startTime", "2026-02-30"),
        ("startTime", "20 Feb 2026"),
        ("startTime", "2026-02-20T08:00:00"),
        ("startTime", "2026-02-20T08:00:99Z"),
        ("startTime", "1899-12-31"),
        ("startTime", "2026-03-09"),
        ("endTime", "0001-01-01T00:00:00+14:00"),
        ("system", "Our EHR"),
        ("recordId", "R\x00"),
        ("recordId", "R" * 129),
        ("status", "active"),
    ],
)
def test_a_cell_that_is_not_in_order_is_named_by_its_column(column: str, text: str) -> None:
    (row,) = rows("text/csv", f"{HEADER}\n{a_line(**{column: text})}".encode())
    assert column in {each.path for each in row.wrong}


def test_nul_is_named_in_its_row_and_spoils_no_other() -> None:
    broken = a_line(status="ACT\x00IVE")
    data = f"{HEADER}\n{broken}\n{a_line()}".encode()
    first, second = rows("text/csv", data)
    assert [each.path for each in first.wrong] == ["status"]
    assert second.wrong == ()


def test_a_quoted_line_break_spoils_its_own_lines_only() -> None:
    data = f'{HEADER}\n"R\n1",1,ehr\n{a_line()}'.encode()
    found = rows("text/csv", data)
    assert [bool(each.wrong) for each in found] == [True, True, False]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str) -> None:
    found = rows("text/csv", end.join([HEADER, a_line(), "", a_line(recordId="R-2")]).encode())
    assert [(each.line, each.wrong) for each in found] == [(2, ()), (4, ())]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_other_encodings_are_refused_whole(encoding: str) -> None:
    with pytest.raises(LeadError) as refused:
        csv_file.read(f"{HEADER}\n{a_line(recordId='é')}".encode(encoding))
    assert refused.value.violations[0].path.startswith("file")


def test_a_file_over_16_mib_is_refused_before_it_is_read() -> None:
    for reader in (csv_file.read, json_file.read, ndjson_file.read):
        with pytest.raises(LeadError) as refused:
            reader(b" " * (MOST_BYTES + 1))
        assert [each.wish for each in refused.value.violations] == ["at most 16 MiB"]


def test_5000_rows_are_taken_and_5001_are_refused() -> None:
    for reader, head, row, join in (
        (csv_file.read, f"{HEADER}\n", a_line(), "\n"),
        (json_file.read, "[", "{}", ","),
        (ndjson_file.read, "", "{}", "\n"),
    ):
        tail = "]" if head == "[" else ""
        assert len(reader((head + join.join([row] * 5_000) + tail).encode())) == 5_000
        with pytest.raises(LeadError) as refused:
            reader((head + join.join([row] * 5_001) + tail).encode())
        assert [each.path for each in refused.value.violations] == ["file"]


def test_blank_lines_and_rows_of_commas_are_no_rows() -> None:
    assert csv_file.read(f"{HEADER}\n\n,,,,,,,,\n   \n".encode()) == []


def test_a_field_that_is_longer_than_any_cell_is_a_broken_row() -> None:
    (row,) = csv_file.read(f'{HEADER}\n"{"x" * 200_000}",,,,,,,,'.encode())
    assert row.broken


def test_a_json_name_that_comes_twice_or_is_unknown_is_named() -> None:
    data = b'[{"status": "ACTIVE", "status": "COMPLETED", "ncicNumber": 1, "na me": 2}]'
    (cells,) = json_file.read(data)
    told = {each.path: each.wish for each in cells.wrong}
    assert told["status"] == "given once"
    assert "NCIC" in told["ncicNumber"]
    assert told["?"] == "unknown field"


def test_json_texts_that_no_encoding_has_are_refused() -> None:
    (cells,) = json_file.read(b'[{"serviceId": "\\ud800"}]')
    assert [each.path for each in cells.wrong] == ["serviceId"]
    assert "serviceId" not in cells.values


def test_a_number_may_be_as_long_as_it_likes() -> None:
    (cells,) = json_file.read(b'[{"source": {"version": ' + b"9" * 10_000 + b"}}]")
    row = row_of(cells, NOON, SEATTLE)
    assert "source.version" in {each.path for each in row.wrong}


def test_a_broken_row_says_nothing_but_that() -> None:
    row = row_of(Cells(7, broken=True), NOON, SEATTLE)
    assert (row.line, row.key, row.wrong) == (7, "", ())


def _is_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
