"""Who a process is: certificates with a SAN URI per service, and the key that the gateway signs assertions with.

Services trust `urn:leadx:service:<area>` in a peer's certificate and nothing else about it (architecture section 2).
The authority here is for development and tests; in production any CA serves that issues the same names.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.shared.clock import Clock, SystemClock

_URN = "urn:leadx:service:"
_WORD = re.compile(r"[a-z][a-z0-9-]{0,30}", re.ASCII)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_CA_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=397)
# Machines of one test bed may be some minutes apart.
_EARLIER = timedelta(hours=1)
_PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files: whom to believe, and what to show."""

    ca: Path
    cert: Path
    key: Path


def service_uri(service: str) -> str:
    """Return the SAN URI of a service. Raises ValueError unless the word is lower case, digits and dashes."""
    if not _WORD.fullmatch(service):
        raise ValueError("a service's word is lower-case letters, digits and dashes")
    return _URN + service


def service_host(service: str) -> str:
    """Return the DNS name that a service's certificate carries wherever it runs; clients check the server by it."""
    return f"{service}.leadx.internal"


def service_of(uri: str) -> str:
    """Return the service that a SAN URI names, empty when it names none."""
    word = uri.removeprefix(_URN)
    return word if uri.startswith(_URN) and _WORD.fullmatch(word) else ""


def server_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Return credentials that show the certificate and demand one of the same authority. Raises OSError."""
    pair = (tls.key.read_bytes(), tls.cert.read_bytes())
    return grpc.ssl_server_credentials([pair], tls.ca.read_bytes(), require_client_auth=True)


def channel_credentials(tls: TlsFiles) -> grpc.ChannelCredentials:
    """Return the client's side of `server_credentials`. Raises OSError."""
    return grpc.ssl_channel_credentials(tls.ca.read_bytes(), tls.key.read_bytes(), tls.cert.read_bytes())


class DevelopmentCa:
    """A certificate authority in a folder: `ca.crt`, `ca.key`, and beside them what it issued, for its owner's eyes."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Use the authority that `create` has put there. Raises OSError when there is none."""
        self._folder = folder
        self._clock = clock
        self._certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("ca.key holds no EC key")
        self._key = key

    @classmethod
    def create(cls, folder: Path, clock: Clock | None = None) -> DevelopmentCa:
        """Return the authority in the folder, made if it is not there yet."""
        clock = clock or SystemClock()
        if not (folder / "ca.crt").exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = ec.generate_private_key(ec.SECP256R1())
            _write(folder / "ca.key", _private_pem(key))
            _write(folder / "ca.crt", _pem(_root(key, clock)))
        return cls(folder, clock)

    @property
    def path(self) -> Path:
        """Return the path of the authority's own certificate."""
        return self._folder / "ca.crt"

    def issue(self, service: str, hosts: Sequence[str] = _LOCAL) -> tuple[Path, Path]:
        """Issue a certificate for a service, for both ends of mTLS; returns the paths of certificate and key.

        It names the service by URI and by `service_host`, and the given DNS names and addresses. Raises ValueError.
        """
        names = [x509.UniformResourceIdentifier(service_uri(service)), x509.DNSName(service_host(service))]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(service, [*names, *map(_name, hosts)], usages)

    def issue_public(self, hosts: Sequence[str] = _LOCAL) -> tuple[Path, Path]:
        """Issue a server certificate for the gateway's public faces; it proves no service to another one."""
        return self._issue(_PUBLIC, list(map(_name, hosts)), [ExtendedKeyUsageOID.SERVER_AUTH])

    def files(self, service: str) -> TlsFiles:
        """Return the files that a service needs, issued if they are not there yet."""
        cert, key = self._folder / f"{service}.crt", self._folder / f"{service}.key"
        if not (cert.exists() and key.exists()):
            cert, key = self.issue(service)
        return TlsFiles(self.path, cert, key)

    def _issue(
        self, word: str, names: list[x509.GeneralName], usages: list[x509.ObjectIdentifier]
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(word, key.public_key(), self._clock, _LIFE).issuer_name(self._certificate.subject)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        paths = self._folder / f"{word}.crt", self._folder / f"{word}.key"
        _write(paths[1], _private_pem(key))
        _write(paths[0], _pem(certificate))
        return paths


def create_signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the gateway's assertion key at the path, made if absent; its public half lies beside it as `.pub`."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Ed25519PrivateKey.generate()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        _write(path.with_suffix(".pub"), key.public_key().public_bytes(serialization.Encoding.PEM, form))
        _write(path, _private_pem(key))
    return load_signing_key(path)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the assertion key. Raises OSError, and TypeError when the file holds another kind of key."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the assertion key is not an Ed25519 private key")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read the assertion key's public half. Raises OSError, and TypeError when it is another kind of key."""
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("the assertion key is not an Ed25519 public key")
    return key


def _root(key: ec.EllipticCurvePrivateKey, clock: Clock) -> x509.Certificate:
    builder = _builder("development authority", key.public_key(), clock, _CA_LIFE)
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        builder.issuer_name(_subject("development authority"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(name: str, key: ec.EllipticCurvePublicKey, clock: Clock, life: timedelta) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _subject(name: str) -> x509.Name:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "LEAD Exchange")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain)


def _write(path: Path, content: bytes) -> None:
    # Beside and renamed, so that no other process ever reads half a key.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)
