"""Whatever is sent as NIBRS: items, or one LeadError that quotes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.referral.rms import xml
from services.referral.rms.candidate import Import, Item
from services.referral.rms.nibrs import read
from services.shared.errors import Code, LeadError

SAMPLES = Path(__file__).parents[3] / "services/command/sample"
INCIDENT = (SAMPLES / "nibrs_incident.xml").read_bytes()
PROLOG, BODY = INCIDENT.split(b"\n", 1)
OWN = frozenset({"ZZ0000100"})
CANARY = "Canary7351"
ROOT = b'<n:Submission xmlns:n="http://fbi.gov/cjis/nibrs/2019">'


def taken(data: bytes) -> Import:
    return read(data, caller_ori=OWN, today=date(2026, 11, 24))


def refusal(data: bytes) -> str:
    with pytest.raises(LeadError) as caught:
        taken(data)
    error = caught.value
    assert error.code is Code.INVALID_ARGUMENT
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert CANARY not in f"{error!r} {error}"
    return error.text


def with_doctype(doctype: str, use: str = "26S-000101") -> bytes:
    return b"\n".join((PROLOG, doctype.encode(), BODY.replace(b"26S-000101", use.encode())))


@pytest.mark.parametrize(
    ("doctype", "use"),
    [
        ('<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>', "&c;"),
        ('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]>', "&x;"),
        ('<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', "&x;"),
        ('<!DOCTYPE s [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>', "1"),
        ('<!DOCTYPE s SYSTEM "http://127.0.0.1:9/x.dtd">', "1"),
        ("<!DOCTYPE s>", "1"),
    ],
)
def test_no_doctype_is_accepted(doctype: str, use: str) -> None:
    assert refusal(with_doctype(doctype, use)) == "A DOCTYPE or an entity declaration is not accepted."


def test_an_undeclared_entity_is_not_well_formed() -> None:
    assert refusal(INCIDENT.replace(b"26S-000101", b"&Canary7351;")).startswith("The file is not well-formed XML")


def test_a_syntax_error_is_named_by_its_line() -> None:
    wrong = INCIDENT.replace(b"</nc:Incident>", b"</nc:Canary7351>")
    assert refusal(wrong) == "The file is not well-formed XML (line 39)."


def test_an_include_is_not_followed() -> None:
    include = b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
    assert taken(INCIDENT.replace(b">26S-000101<", b">26S-000101" + include + b"<")) == taken(INCIDENT)


def test_twenty_megabytes_are_refused_unread() -> None:
    assert refusal(INCIDENT + b" " * (20 * 1024 * 1024)) == "A submission is at most 16 MiB."


@pytest.mark.parametrize("data", [INCIDENT + b"\xff", INCIDENT.decode().encode("utf-16"), b"\xc3\x28"])
def test_what_is_not_utf_8_is_refused(data: bytes) -> None:
    assert refusal(data) == "The file must be UTF-8."


@pytest.mark.parametrize("declared", ["UTF-16", "UTF-7", "ISO-8859-1", "EBCDIC-CP-US", "x-unknown"])
def test_a_declared_encoding_changes_nothing(declared: str) -> None:
    assert taken(INCIDENT.replace(b'encoding="UTF-8"', f'encoding="{declared}"'.encode())) == taken(INCIDENT)


def test_a_doctype_hidden_in_another_encoding_is_not_seen_as_one() -> None:
    hidden = b'<?xml version="1.0" encoding="UTF-7"?>\n+ADw-!DOCTYPE s [+ADw-!ENTITY x +ACI-a+ACI-+AD4-]+AD4-\n'
    assert refusal(hidden + BODY).startswith("The file is not well-formed XML")


def test_a_byte_order_mark_is_accepted() -> None:
    assert taken(b"\xef\xbb\xbf" + INCIDENT) == taken(INCIDENT)


def test_line_ends_of_another_system_are_accepted() -> None:
    assert taken(INCIDENT.replace(b"\n", b"\r\n")) == taken(INCIDENT)


@pytest.mark.parametrize("depth", [100, 10_000, 500_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    assert refusal(ROOT + b"<a>" * depth).startswith("The file nests deeper than 32")


def test_too_many_elements_are_refused() -> None:
    data = ROOT + b"<a/>" * (xml.MAX_ELEMENTS + 1) + b"</n:Submission>"
    assert refusal(data).startswith("A submission holds at most 500000 elements")


def test_too_many_attributes_are_refused() -> None:
    many = b" ".join(b"a%d='1'" % number for number in range(200_000))
    data = INCIDENT.replace(b"<nc:Incident>", b"<nc:X " + many + b"/><nc:Incident>")
    assert refusal(data) == "An element has at most 64 attributes."


def test_too_many_reports_are_refused() -> None:
    data = ROOT + b"<n:Report/>" * (xml.MAX_REPORTS + 1) + b"</n:Submission>"
    assert refusal(data).startswith("A submission holds at most 5000 reports")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "The file is not well-formed XML"),
        (b"{}", "The file is not well-formed XML"),
        (INCIDENT[: len(INCIDENT) // 2], "The file is not well-formed XML"),
        (INCIDENT + INCIDENT, "The file is not well-formed XML"),
        (INCIDENT.replace(b"26S-000101", b"\x00"), "The file is not well-formed XML"),
        (INCIDENT.replace(b"<nc:Incident>", b"<Canary7351:Incident>"), "The file is not well-formed XML"),
        (b"<Canary7351/>", "The root must be nibrs:Submission."),
        (INCIDENT.replace(b"fbi.gov/cjis/nibrs", b"example.org/nibrs"), "The root must be nibrs:Submission."),
        (ROOT + b"</n:Submission>", "A submission holds at least one nibrs:Report."),
    ],
)
def test_what_is_no_submission_is_refused(data: bytes, text: str) -> None:
    assert refusal(data).startswith(text)


def test_a_report_full_of_what_is_never_carried_gives_a_bounded_answer() -> None:
    many = INCIDENT.replace(b"<nc:Incident>", b"<fbi/>" * 100_000 + b"<nc:Incident>")
    (item,) = taken(many).items
    assert (item.reason, len(item.violations)) == ("NEVER_CARRIED", 100)


def test_elements_of_a_foreign_namespace_are_not_read() -> None:
    foreign = INCIDENT.replace(b"<j:Offense s:id", b'<j:Offense xmlns:j="urn:x" s:id')
    assert [violation.path for violation in taken(foreign).items[0].violations] == [
        "/nibrs:Submission/nibrs:Report[1]/j:Offense/nibrs:OffenseUCRCode"
    ]


def answered(data: bytes) -> None:
    """Read it; nothing but a LeadError may come out, and nothing that is said may hold the canary."""
    refused: LeadError | None = None
    items: tuple[Item, ...] = ()
    try:
        items = taken(data).items
    except LeadError as error:
        refused = error
    assert refused is None or refused.code is Code.INVALID_ARGUMENT
    assert CANARY not in repr(refused)
    for item in items:
        assert bool(item.violations) == item.rejected
        assert CANARY not in repr(item.violations)


@given(st.binary(max_size=2000))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    answered(data)


@given(st.text(max_size=500))
def test_random_text_inside_a_submission_raises_nothing_else(text: str) -> None:
    answered(ROOT + b"<n:Report>" + text.encode("utf-8", "surrogatepass") + b"</n:Report></n:Submission>")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_submission_raises_nothing_else_and_echoes_nothing(data: st.DataObject) -> None:
    mutated = INCIDENT
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(mutated)))
        end = data.draw(st.integers(start, min(len(mutated), start + 300)))
        piece = data.draw(st.one_of(st.just(CANARY.encode()), st.binary(max_size=20), st.just(mutated[start:end] * 2)))
        mutated = mutated[:start] + piece + mutated[end:]
    answered(mutated)


LEAVES = [part.split(b"<")[0] for part in INCIDENT.split(b">") if part.split(b"<")[0].strip()]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=5), st.text(max_size=8))
def test_a_value_replaced_by_anything_is_never_echoed(leaves: list[bytes], salt: str) -> None:
    value = (CANARY + salt).encode("utf-8", "ignore").replace(b"&", b"").replace(b"<", b"")
    mutated = INCIDENT
    for leaf in leaves:
        mutated = mutated.replace(b">" + leaf + b"<", b">" + value + b"<")
    answered(mutated)
