"""Who signed the certificate that a server shows: for the sentence about a connection nobody vouches for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

_ORGANISATION = bytes.fromhex("060355040a")
_COMMON_NAME = bytes.fromhex("0603550403")
_LONGEST = 120


async def issuer_of(host: str, port: int) -> str:
    """The issuer's organisation or name, "" when it cannot be read. Sends nothing, and trusts nothing more for it."""
    try:
        pem = await asyncio.to_thread(ssl.get_server_certificate, (host, port), timeout=3.0)
        return issuer_in(ssl.PEM_cert_to_DER_cert(pem))
    except (OSError, ValueError):
        return ""


def issuer_in(certificate: bytes) -> str:
    """The issuer in an X.509 certificate (RFC 5280 §4.1: version, serial, algorithm, issuer). Raises `ValueError`."""
    [whole, *_] = _values(certificate)
    [tbs, *_] = _values(whole[1])
    fields = [field for field in _values(tbs[1]) if field[0] != 0xA0]
    if len(fields) < 3:
        raise ValueError("not a certificate")
    names = {kind: text for _, name in _values(fields[2][1]) for kind, text in _named(name)}
    return (names.get(_ORGANISATION) or names.get(_COMMON_NAME) or "")[:_LONGEST]


def _named(name: bytes) -> Iterator[tuple[bytes, str]]:
    """Each attribute of a name: its encoded kind and its text, control characters left out."""
    for _, attribute in _values(name):
        [(tag, kind), (_, text), *_] = _values(attribute)
        readable = "".join(
            character for character in text.decode("utf-8", "replace") if character.isprintable()
        )
        yield bytes((tag, len(kind))) + kind, readable


def _values(data: bytes) -> list[tuple[int, bytes]]:
    """The DER values that stand one after the other: tag and content. Raises `ValueError`."""
    found = []
    at = 0
    while at + 1 < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut short")
        found.append((tag, data[at : at + length]))
        at += length
    if not found:
        raise ValueError("empty")
    return found
