from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, Table, insert, select

from services.shared.db import Database, make_engine, new_metadata
from services.shared.db.cipher import AreaCipher, CipherError
from services.shared.db.types import SealedText

KEY, OTHER = b"k" * 32, b"o" * 32


def a_cipher(area: str = "referral", *keys: bytes) -> AreaCipher:
    cipher = AreaCipher(area)
    cipher.load(*(keys or (KEY,)))
    return cipher


@given(st.text())
def test_sealed_text_opens_to_itself(text: str) -> None:
    assert a_cipher().open(a_cipher().seal(text)) == text


@given(st.text(min_size=1), st.data())
def test_a_changed_byte_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = bytearray(a_cipher().seal(text))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CipherError):
        a_cipher().open(bytes(sealed))


def test_equal_texts_do_not_look_equal() -> None:
    assert a_cipher().seal("same") != a_cipher().seal("same")


def test_another_area_cannot_open_even_with_the_same_key() -> None:
    with pytest.raises(CipherError):
        a_cipher("casework").open(a_cipher("referral").seal("text"))


def test_an_older_key_still_opens_after_rotation() -> None:
    sealed = a_cipher("referral", OTHER).seal("text")
    assert a_cipher("referral", KEY, OTHER).open(sealed) == "text"
    with pytest.raises(CipherError):
        a_cipher("referral", KEY).open(sealed)


def test_nothing_is_sealed_before_a_key_is_loaded() -> None:
    with pytest.raises(CipherError):
        AreaCipher("referral").seal("text")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AreaCipher("referral").load(b"short")


def test_a_sealed_column_holds_no_clear_text_on_disk(tmp_path: Path) -> None:
    metadata = new_metadata()
    notes = Table("note", metadata, Column("id", Integer, primary_key=True), Column("text", SealedText(a_cipher())))
    db = Database(make_engine(f"sqlite:///{tmp_path}/notes.db"))
    metadata.create_all(db.engine)
    with db.write() as conn:
        conn.execute(insert(notes), [{"text": "Testa said so"}, {"text": None}])
    with db.read() as conn:
        assert list(conn.scalars(select(notes.c.text).order_by(notes.c.id))) == ["Testa said so", None]
    db.engine.dispose()
    stored = sqlite3.connect(tmp_path / "notes.db").execute("SELECT text FROM note").fetchall()
    assert b"Testa" not in stored[0][0]
    assert stored[1][0] is None
