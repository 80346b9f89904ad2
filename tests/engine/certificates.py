"""Certificates made while the tests run: an authority of our own, and servers it vouches for, or does not."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


class Authority:
    """Signs certificates. `context` is a client's that trusts it and nobody else."""

    def __init__(self, folder: Path, organisation: str) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation)])
        self.certificate = self._signed(self._name, self._key.public_key(), (), ca=True)

    @property
    def context(self) -> ssl.SSLContext:
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        context = ssl.create_default_context(cadata=pem)
        # Ours says less than a public authority's must, which Python 3.13 would refuse.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        return context

    def server(
        self, *names: str, since: timedelta = -DAY, until: timedelta = DAY, self_signed: bool = False
    ) -> ssl.SSLContext:
        """A server's context with a certificate for these names, valid from now + `since` to now + `until`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        signer = key if self_signed else None
        signed = self._signed(name, key.public_key(), names, signer=signer, since=since, until=until)
        path = self.folder / f"{signed.serial_number}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        names: Sequence[str],
        *,
        ca: bool = False,
        signer: ec.EllipticCurvePrivateKey | None = None,
        since: timedelta = -DAY,
        until: timedelta = DAY,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = subject if signer else self._name
        built = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(now + since).not_valid_after(now + until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )  # fmt: skip
        if names:
            other = [_general(name) for name in names]
            built = built.add_extension(x509.SubjectAlternativeName(other), critical=False)
        return built.sign(signer or self._key, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
