from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.entry import NONCE_BYTES, SALT_BYTES, SealedIdentity, open_identity, pseudonym, seal_identity
from services.audit.merkle import LedgerError

KEY, OTHER_KEY = bytes(range(32)), bytes(32)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_a_sealed_identity_opens_with_its_key_and_aad(plaintext: bytes, aad: bytes) -> None:
    assert open_identity(seal_identity(plaintext, KEY, aad), KEY, aad) == plaintext


@given(st.binary(max_size=60), st.data())
def test_a_sealed_identity_opens_with_nothing_else(plaintext: bytes, data: st.DataObject) -> None:
    sealed = seal_identity(plaintext, KEY, b"entry 1")
    whole = bytearray(sealed.nonce + sealed.ciphertext)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    flipped = SealedIdentity(bytes(whole[:NONCE_BYTES]), bytes(whole[NONCE_BYTES:]))
    for attempt in ((flipped, KEY, b"entry 1"), (sealed, OTHER_KEY, b"entry 1"), (sealed, KEY, b"entry 2")):
        with pytest.raises(LedgerError, match="SEAL"):
            open_identity(*attempt)


@pytest.mark.parametrize("sealed", [SealedIdentity(b"", b""), SealedIdentity(bytes(12), bytes(15))])
def test_what_cannot_be_a_sealed_identity_is_refused(sealed: SealedIdentity) -> None:
    with pytest.raises(LedgerError, match="SEAL"):
        open_identity(sealed, KEY, b"")


def test_two_sealings_of_one_text_are_never_alike() -> None:
    first, second = (seal_identity(b"Testa Sample", KEY, b"") for _ in range(2))
    assert first.nonce != second.nonce
    assert first.ciphertext != second.ciphertext


def test_the_salt_is_sealed_in_front_even_if_the_nonce_repeats() -> None:
    draws = iter([bytes(NONCE_BYTES), b"a" * SALT_BYTES, bytes(NONCE_BYTES), b"b" * SALT_BYTES])
    first, second = (seal_identity(b"Testa Sample", KEY, b"", lambda _: next(draws)) for _ in range(2))
    assert first.ciphertext != second.ciphertext
    assert len(first.ciphertext) == SALT_BYTES + len(b"Testa Sample") + 16


def test_the_clear_text_is_not_in_the_sealed_one() -> None:
    assert b"Testa" not in b"".join(seal_identity(b"Testa Sample", KEY, b""))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(LedgerError, match="KEY"):
        seal_identity(b"", bytes(size), b"")


def test_a_pseudonym_is_the_hmac_of_the_subject() -> None:
    assert pseudonym(KEY, "sub_1") == hmac.digest(KEY, b"sub_1", hashlib.sha256)


def test_a_pseudonym_tells_subjects_and_secrets_apart() -> None:
    assert len({pseudonym(secret, subject) for secret in (KEY, OTHER_KEY) for subject in ("sub_1", "sub_2")}) == 4


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(LedgerError, match="KEY"):
        pseudonym(bytes(31), "sub_1")
