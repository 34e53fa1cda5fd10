"""Key-encryption keys in a file, and what a data key shows of itself."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from hypothesis import given
from hypothesis import strategies as st

from services.consent.kek import KEY_BYTES, KeyFile
from services.consent.keys import DataKey, KeyPlace


@pytest.fixture(scope="module")
def kek(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    path = tmp_path_factory.mktemp("kek") / "kek"
    KeyFile.create(path)
    return KeyFile(path)


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_a_wrapped_key_is_unwrapped_to_itself_and_hides_it(kek: KeyFile, key: bytes) -> None:
    wrapped = kek.wrap(key)
    assert kek.unwrap(kek.kek_id, wrapped) == key
    assert key not in wrapped


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.integers(0, KEY_BYTES + 7), st.integers(1, 255))
def test_a_wrapped_key_that_was_changed_opens_nothing(kek: KeyFile, key: bytes, place: int, by: int) -> None:
    wrapped = bytearray(kek.wrap(key))
    wrapped[place] ^= by
    with pytest.raises(InvalidUnwrap):
        kek.unwrap(kek.kek_id, bytes(wrapped))


def test_another_file_does_not_unwrap(kek: KeyFile, tmp_path: Path) -> None:
    KeyFile.create(tmp_path / "other")
    other = KeyFile(tmp_path / "other")
    with pytest.raises(InvalidUnwrap):
        other.unwrap(other.kek_id, kek.wrap(bytes(KEY_BYTES)))


def test_a_key_wrapped_by_another_key_encryption_key_is_said_to_be_gone(kek: KeyFile) -> None:
    with pytest.raises(KeyError):
        kek.unwrap("file-0", kek.wrap(bytes(KEY_BYTES)))


def test_a_key_file_is_for_its_owner_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kek"
    KeyFile.create(path)
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(before) == KEY_BYTES
    with pytest.raises(FileExistsError):
        KeyFile.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("size", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_a_file_of_another_size_is_no_key(tmp_path: Path, size: int) -> None:
    (tmp_path / "kek").write_bytes(bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        KeyFile(tmp_path / "kek")


def test_a_data_key_shows_its_id_and_nothing_else() -> None:
    key = DataKey(b"\1" * 16, b"secret key of 32 bytes, in clear", KeyPlace("referral", "sub_secret", "police", 6))
    assert repr(key) == f"DataKey(key_id={'01' * 16})"
    assert "secret" not in f"{key} {key!r}"
