"""What the certificate says that a server shows: for the sentence about a connection nobody vouches for."""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime

from msgspec import Struct

WITHIN_S = 3.0
_LONGEST = 120
_MOST_NAMES = 5


class Shown(Struct, frozen=True, kw_only=True):
    """A certificate as it was shown, trusted or not. `issuer`: organisation or name, "" where it has neither."""

    issuer: str
    names: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def facts(self) -> dict[str, str]:
        """For an error about this certificate: issuer, names, since, until (ISO days)."""
        return {
            "issuer": self.issuer,
            "names": ", ".join(self.names),
            "since": f"{self.since:%Y-%m-%d}",
            "until": f"{self.until:%Y-%m-%d}",
        }


async def certificate_of(host: str, port: int) -> Shown | None:
    """Looks at the certificate again, without trusting it: nothing of ours is sent. None where it cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
            encoded = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.transport.abort()
            return await asyncio.to_thread(certificate_in, encoded)
    except (OSError, ValueError):
        return None


def certificate_in(encoded: bytes) -> Shown:
    """An X.509 certificate in DER. Raises `ValueError`."""
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(encoded)
    names = [str(part.value) for part in certificate.subject.get_attributes_for_oid(x509.OID_COMMON_NAME)]
    try:
        other = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(name.value) for name in other if isinstance(name, x509.DNSName | x509.IPAddress)]
    except x509.ExtensionNotFound:
        pass
    return Shown(
        issuer=issuer_in(encoded),
        names=tuple(_readable(name) for name in names[:_MOST_NAMES]),
        since=certificate.not_valid_before_utc,
        until=certificate.not_valid_after_utc,
    )


def issuer_in(encoded: bytes) -> str:
    """The issuer in an X.509 certificate in DER. Raises `ValueError`."""
    from cryptography import x509

    issuer = x509.load_der_x509_certificate(encoded).issuer
    for kind in (x509.OID_ORGANIZATION_NAME, x509.OID_COMMON_NAME):
        for part in issuer.get_attributes_for_oid(kind):
            return _readable(str(part.value))
    return ""


def _readable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_LONGEST]
