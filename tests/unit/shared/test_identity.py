"""Certificates and keys of the development authority."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from hypothesis import given
from hypothesis import strategies as st

from services.shared.identity import (
    DevelopmentCa,
    create_signing_key,
    load_public_key,
    load_signing_key,
    service_of,
    service_uri,
)
from tests.support.clock import FakeClock


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def names(path: Path) -> x509.SubjectAlternativeName:
    return certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_a_certificate_names_its_service_and_loopback(tmp_path: Path) -> None:
    cert, _ = DevelopmentCa.create(tmp_path, FakeClock()).issue("referral")
    found = names(cert)
    assert found.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:leadx:service:referral"]
    assert "localhost" in found.get_values_for_type(x509.DNSName)
    assert ipaddress.ip_address("127.0.0.1") in found.get_values_for_type(x509.IPAddress)
    assert isinstance(certificate(cert).public_key(), ec.EllipticCurvePublicKey)


def test_the_public_certificate_names_no_service_and_is_no_client(tmp_path: Path) -> None:
    cert, _ = DevelopmentCa.create(tmp_path, FakeClock()).issue_public()
    assert names(cert).get_values_for_type(x509.UniformResourceIdentifier) == []
    usages = certificate(cert).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_what_it_issues_verifies_against_the_authority_alone(tmp_path: Path) -> None:
    clock = FakeClock()
    ours, other = DevelopmentCa.create(tmp_path / "a", clock), DevelopmentCa.create(tmp_path / "b", clock)
    leaf = certificate(ours.issue("referral")[0])

    def verify(authority: DevelopmentCa) -> None:
        store = Store([certificate(authority.path)])
        checks = PolicyBuilder().store(store).time(clock.now().replace(tzinfo=None))
        checks.build_server_verifier(x509.DNSName("localhost")).verify(leaf, [])

    verify(ours)
    with pytest.raises(x509.verification.VerificationError):
        verify(other)


def test_only_its_owner_may_read_what_is_written(tmp_path: Path) -> None:
    ca = DevelopmentCa.create(tmp_path / "ca", FakeClock())
    ca.issue("referral")
    create_signing_key(tmp_path / "ca" / "assertion.key")
    files = list((tmp_path / "ca").iterdir())
    assert len(files) == 6
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_an_authority_that_is_there_is_kept(tmp_path: Path) -> None:
    first = DevelopmentCa.create(tmp_path, FakeClock())
    before = first.path.read_bytes(), first.files("referral").cert.read_bytes()
    again = DevelopmentCa.create(tmp_path, FakeClock())
    assert (again.path.read_bytes(), again.files("referral").cert.read_bytes()) == before


def test_the_signing_key_is_kept_and_its_public_half_fits(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "assertion.key"
    key = create_signing_key(path)
    assert create_signing_key(path).private_bytes_raw() == load_signing_key(path).private_bytes_raw()
    load_public_key(path.with_suffix(".pub")).verify(key.sign(b"x"), b"x")


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    ca = DevelopmentCa.create(tmp_path, FakeClock())
    with pytest.raises(TypeError):
        load_signing_key(ca.files("referral").key)


@pytest.mark.parametrize("word", ["", "Referral", "a/b", "../x", "a b", "1a", "a\n", "ä"])
def test_a_word_that_could_be_a_path_or_another_name_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        DevelopmentCa.create(tmp_path, FakeClock()).issue(word)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True))
def test_the_uri_gives_the_word_back(word: str) -> None:
    assert service_of(service_uri(word)) == word


@given(st.text(max_size=60))
def test_any_other_uri_names_no_service(uri: str) -> None:
    named = service_of(uri)
    assert named == "" or service_uri(named) == uri
