"""Files for `leadx push`: told apart by content, read row by row, broken rows named."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.rms.files import MAX_FILE, MAX_RECORD, Kind, Row, read_records

SAMPLE = Path(__file__).parents[3] / "services/command/sample/nibrs_incident.xml"
CANARY = "Canary7351"


def rows(data: bytes | str, name: str = "file") -> list[Row]:
    return list(read_records(data.encode() if isinstance(data, str) else data, name))


def payloads(data: bytes | str, name: str = "file") -> list[object]:
    found = rows(data, name)
    assert not any(row.error for row in found), found
    return [row.payload for row in found]


def errors(data: bytes | str, name: str = "file") -> dict[int, str]:
    return {row.number: row.error for row in rows(data, name) if row.error}


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a", "a.xml"])
def test_what_a_file_holds_is_told_by_content(name: str) -> None:
    assert payloads('{"a": 1}\n{"a": 2}\n', name) == [{"a": 1}, {"a": 2}]
    assert payloads('{"a": 1}', name) == [{"a": 1}]
    assert rows(SAMPLE.read_bytes(), name) == [Row(1, Kind.NIBRS, SAMPLE.read_bytes())]


def test_a_json_array_and_a_json_object_over_several_lines_are_read() -> None:
    assert payloads('[{"a": 1},\n {"a": [true, null, "x"]}]\n') == [{"a": 1}, {"a": [True, None, "x"]}]
    assert payloads('{\n "a":\n  {"b": 2}\n}') == [{"a": {"b": 2}}]
    assert payloads('{"a": [\n{"b": 1},\n{"b": 2}\n]}') == [{"a": [{"b": 1}, {"b": 2}]}]
    assert payloads("[]") == payloads(" \r\n\n") == payloads("") == []


def test_byte_order_mark_blank_lines_and_other_line_ends_are_accepted() -> None:
    assert [(row.number, row.payload) for row in rows(b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \n{"a": 2}\r\n')] == [
        (1, {"a": 1}),
        (4, {"a": 2}),
    ]
    assert payloads(b'\xef\xbb\xbf[{"a": 1}]') == payloads(b'\xef\xbb\xbf{\r\n"a": 1}') == [{"a": 1}]
    assert rows(b"\xef\xbb\xbf" + SAMPLE.read_bytes())[0].kind is Kind.NIBRS


def test_a_broken_line_is_named_and_the_others_are_read() -> None:
    data = b'{"a": 1}\n{"Canary7351": \n"\xff"\n[1]\n{"a": 2} {"a": 3}\n{"a": 4}\n7\n'
    found = rows(data)
    assert [row.number for row in found if not row.error] == [1, 6]
    assert errors(data) == {
        2: "the line is not valid JSON",
        3: "the line is not UTF-8",
        4: "a record is a JSON object",
        5: "the line holds more than one value",
        7: "a record is a JSON object",
    }


def test_a_broken_first_line_does_not_lose_the_rest() -> None:
    for name in ("a.ndjson", "a.json"):
        assert [(row.number, bool(row.error)) for row in rows('{"a": \n{"a": 2}\n', name)] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ('{"a": 1, "a": 2}', "a key appears twice in one object"),
        ('{"x": [{"a": 1, "\\u0061": 2}]}', "a key appears twice in one object"),
        ('{"a": NaN}', "NaN and Infinity are not JSON"),
        ('{"a": [-Infinity]}', "NaN and Infinity are not JSON"),
        ('{"a": 1e999}', "a number is too large"),
        ('{"a": "\\ud800"}', "a text is not valid Unicode"),
        ('{"\\udfff": 1}', "a text is not valid Unicode"),
        ('{"a":' + "[" * 40 + "]" * 40 + "}", "the record nests deeper than 32"),
    ],
)
def test_what_json_readers_disagree_on_is_refused_record_by_record(record: str, why: str) -> None:
    good = '{"a": 1}'
    assert errors(f"{good}\n{record}\n{good}") == {2: why}
    assert errors(f"[{good}, {record}, {good}]") == {2: why}
    assert errors(record) == {1: why}
    assert len(rows(f"[{good}, {record}, {good}]")) == 3


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_very_deep_json_is_one_error(depth: int) -> None:
    assert list(errors('{"a":' * depth)) == [1]
    assert list(errors("[" * depth)) == [1]
    assert list(errors('{"a": 1}\n' + '{"a":[' * depth + "\n")) == [2]


def test_an_absurd_integer_is_an_error() -> None:
    assert errors('{"a": 1}\n{"a": ' + "9" * 5000 + "}") == {2: "the line is not valid JSON"}


@pytest.mark.parametrize("data", ["[1,", '[{"a": 1},]', '[{"a": 1} {"a": 2}]', '[{"a": 1}] x', "[", "[,]", '{"a"\n:\n'])
def test_a_broken_array_or_object_ends_with_an_error(data: str) -> None:
    assert rows(data)[-1].error.startswith("the file is not valid JSON")


def test_the_error_of_a_broken_array_names_the_line() -> None:
    assert [(row.number, bool(row.error)) for row in rows('[{"a": 1},\n\n{"a" 2}]')] == [(1, False), (3, True)]


def test_xml_that_is_no_nibrs_is_an_error() -> None:
    assert errors("<a/>") == {1: "the file is XML, but no NIBRS submission"}


def test_sizes_are_bounded_and_a_long_line_loses_only_itself() -> None:
    long = '{"a": "' + "x" * MAX_RECORD + '"}'
    assert errors(f'{{"a": 1}}\n{long}\n{{"a": 2}}') == {2: "the line is longer than 1 MiB"}
    assert errors(f'{long}\n{{"a": 2}}', "a.ndjson") == {1: "the line is longer than 1 MiB"}
    assert "larger than 16 MiB" in errors("[" + " " * MAX_FILE)[1]
    assert "larger than 16 MiB" in errors("<a>" + " " * MAX_FILE)[1]


def test_ndjson_is_streamed_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "big.ndjson"
    path.write_text('{"a": 1}\n' * 100_000)
    assert [row.number for row in islice(read_records(path, path.name), 3)] == [1, 2, 3]


@given(st.binary(max_size=500), st.sampled_from(["a.json", "a.ndjson"]))
def test_random_bytes_are_rows_with_a_payload_or_an_error(data: bytes, name: str) -> None:
    for row in rows(data, name):
        assert (row.payload is None) == bool(row.error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=5))
def test_records_come_back_as_written_in_every_form(records: list[dict[str, object]]) -> None:
    assert payloads(json.dumps(records)) == records
    assert payloads(json.dumps(records, indent=1)) == records
    assert payloads("\r\n".join(json.dumps(record) for record in records)) == records


@given(st.text(max_size=20), st.integers(0, 60))
def test_an_error_never_quotes_the_file(salt: str, cut: int) -> None:
    line = json.dumps({CANARY + salt: [CANARY, {"b": CANARY + salt}]})[:cut] + CANARY
    assert CANARY not in "".join(errors(line + "\n" + line).values())
