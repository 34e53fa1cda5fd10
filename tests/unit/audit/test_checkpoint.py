from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from services.audit.checkpoint import Checkpoint, from_base64, parse_and_verify, sign, to_base64
from services.audit.merkle import EMPTY_ROOT, LedgerError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOON = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def a_checkpoint(
    origin: str = "ledger.example/lead", size: int = 3, root: bytes = bytes(32), time: datetime = NOON
) -> Checkpoint:
    return Checkpoint(origin, size, root, time)


def reason_of(text: str, key: Ed25519PrivateKey = KEY) -> str:
    with pytest.raises(LedgerError) as caught:
        parse_and_verify(text, key.public_key())
    return caught.value.reason


def test_the_text_is_a_signed_note() -> None:
    lines = sign(a_checkpoint(size=0, root=EMPTY_ROOT), KEY).split("\n")
    assert lines[:5] == [
        "ledger.example/lead",
        "0",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "2025-03-01T12:00:00.000000Z",
        "",
    ]
    assert lines[5].startswith("\u2014 ledger.example/lead ")
    assert len(from_base64(lines[5].split(" ")[2])) == 4 + 64
    assert lines[6:] == [""]


@given(
    origin=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="+"), min_size=1),
    size=st.integers(0, (1 << 63) - 1),
    root=st.binary(min_size=32, max_size=32),
    time=st.datetimes(timezones=st.just(UTC)),
)
@example(origin="o", size=0, root=EMPTY_ROOT, time=datetime.min.replace(tzinfo=UTC))
def test_a_signed_checkpoint_comes_back(origin: str, size: int, root: bytes, time: datetime) -> None:
    checkpoint = a_checkpoint(origin, size, root, time)
    assert parse_and_verify(sign(checkpoint, KEY), KEY.public_key()) == checkpoint


@given(st.data())
def test_a_checkpoint_with_any_character_altered_is_refused(data: st.DataObject) -> None:
    text = sign(a_checkpoint(), KEY)
    at = data.draw(st.integers(0, len(text)))
    inserted = data.draw(st.text(max_size=3))
    removed = data.draw(st.integers(0, 3))
    changed = text[:at] + inserted + text[at + removed :]
    if changed != text:
        assert reason_of(changed) in {"MALFORMED", "KEY", "SIGNATURE"}


@given(st.text())
def test_text_that_is_no_checkpoint_is_malformed(text: str) -> None:
    assert reason_of(text) == "MALFORMED"


def test_another_key_is_named_as_the_reason() -> None:
    assert reason_of(sign(a_checkpoint(), KEY), OTHER_KEY) == "KEY"


def test_another_size_under_the_same_signature_is_refused() -> None:
    assert reason_of(sign(a_checkpoint(), KEY).replace("\n3\n", "\n4\n")) == "SIGNATURE"


def test_a_signature_under_another_name_is_refused() -> None:
    text = sign(a_checkpoint(), KEY)
    assert reason_of(text.replace("\u2014 ledger.example/lead", "\u2014 other.example")) == "MALFORMED"


def test_a_second_signature_line_is_refused() -> None:
    text = sign(a_checkpoint(), KEY)
    assert reason_of(text + text.splitlines()[-1] + "\n") == "MALFORMED"


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("\n3\n", "\n03\n"),
        ("\n3\n", "\n\u0663\n"),
        ("T12:00:00.000000Z", "T12:00:00Z"),
        ("T12:00:00.000000Z", "T12:00:00.000000+00:00"),
        ("2025-03-01", "2025-02-30"),
        ("AAAA=\n", "AAAB=\n"),
        ("AAAA=\n", "AA==\n"),
    ],
)
def test_other_spellings_of_a_value_are_refused(written: str, instead: str) -> None:
    text = sign(a_checkpoint(), KEY)
    assert written in text
    assert reason_of(text.replace(written, instead)) == "MALFORMED"


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nline", "\u00e4", "x" * 201])
def test_an_origin_that_would_break_the_text_is_refused(origin: str) -> None:
    with pytest.raises(LedgerError, match="origin"):
        a_checkpoint(origin=origin)


@pytest.mark.parametrize(("size", "root"), [(-1, bytes(32)), (1 << 63, bytes(32)), (1, bytes(31))])
def test_size_and_root_have_bounds(size: int, root: bytes) -> None:
    with pytest.raises(LedgerError, match="range"):
        a_checkpoint(size=size, root=root)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_a_time_that_is_not_utc_is_refused(zone: timezone | None) -> None:
    with pytest.raises(LedgerError, match="UTC"):
        a_checkpoint(time=NOON.replace(tzinfo=zone))


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert from_base64(to_base64(data)) == data


@pytest.mark.parametrize("text", ["A", "AA", "AB==", "AA==\n", "A A=", "__==", "\u00e4\u00e4\u00e4\u00e4"])
def test_base64_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="MALFORMED"):
        from_base64(text)
