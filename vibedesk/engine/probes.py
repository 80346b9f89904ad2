"""The way to a host, one step at a time: its name, its port, its certificate. Nothing of ours is sent on it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from vibedesk.engine.errors import ConnectionLost, TimedOut, TlsUntrusted
from vibedesk.engine.faults import unconnected
from vibedesk.engine.issuer import certificate_of
from vibedesk.engine.to_the_end import end_all

APART_S = 0.1
"""How long one address is tried alone before the next one is tried beside it."""
_MOST_ADDRESSES = 4


class Secured(Struct, frozen=True, kw_only=True):
    """A handshake with a trusted certificate. `until` is its last day; "" and None where the system does not tell."""

    version: str
    issuer: str
    until: datetime | None


async def addresses_of(host: str, port: int, *, within_s: float) -> tuple[str, ...]:
    """The name's addresses. Raises `NameNotFound`, `TimedOut` (timer name).

    Looked up in a thread of its own, that nobody waits for: a resolver without a network can take a minute, and one
    of the loop's threads would hold up the end of the program until then.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[tuple[str, ...] | Exception] = loop.create_future()

    def look() -> None:
        outcome: tuple[str, ...] | Exception
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            outcome = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as exc:
            outcome = exc
        with suppress(RuntimeError):  # the loop is gone, and with it whoever asked
            loop.call_soon_threadsafe(settle, outcome)

    def settle(outcome: tuple[str, ...] | Exception) -> None:
        if not found.done():
            found.set_result(outcome)

    threading.Thread(target=look, name=f"look up {host}", daemon=True).start()
    try:
        async with asyncio.timeout(within_s):
            outcome = await found
    except TimeoutError as exc:
        raise TimedOut("the name was not answered for", timer="name", host=host, limit_s=within_s) from exc
    if isinstance(outcome, UnicodeError):
        outcome = socket.gaierror(str(outcome))
    if isinstance(outcome, Exception):
        raise unconnected(outcome, host) from outcome
    return outcome[:_MOST_ADDRESSES]


async def reach(addresses: Sequence[str], host: str, port: int, *, within_s: float) -> str:
    """The first address that takes a connection; it is closed at once.

    Raises `ConnectionRefused`, `Unreachable`, `ConnectionLost`, `TimedOut` (timer connect).
    """
    place = f"{host}:{port}"
    tries = [
        asyncio.create_task(_try(address, port, number * APART_S)) for number, address in enumerate(addresses)
    ]
    failures: list[OSError] = []
    try:
        async with asyncio.timeout(within_s):
            for tried in asyncio.as_completed(tries):
                try:
                    return await tried
                except OSError as exc:
                    failures.append(exc)
    except TimeoutError as exc:
        raise TimedOut("no connection in time", timer="connect", host=place, limit_s=within_s) from exc
    finally:
        await end_all(tries)
    refused = (failure for failure in failures if isinstance(failure, ConnectionRefusedError))
    cause = next(refused, failures[0] if failures else OSError("no address"))
    raise unconnected(cause, place) from cause


async def _try(address: str, port: int, after_s: float) -> str:
    await asyncio.sleep(after_s)
    _, writer = await asyncio.open_connection(address, port)
    writer.transport.abort()
    return address


async def secure(host: str, port: int, context: ssl.SSLContext, *, within_s: float) -> Secured:
    """A handshake, and nothing after it. Raises `TlsUntrusted` with what the certificate says, or `TimedOut` (timer
    tls)."""
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except TimeoutError as exc:
        raise TimedOut("no TLS handshake in time", timer="tls", host=host, limit_s=within_s) from exc
    except OSError as exc:
        error = unconnected(exc, host)
        if isinstance(error, ConnectionLost):
            error = TlsUntrusted("hung up during the handshake", host=host, issuer="", fault="hung_up")
        if isinstance(error, TlsUntrusted) and error.facts["fault"] not in ("no_tls", "hung_up", "handshake"):
            shown = await certificate_of(host, port)
            error.facts |= shown.facts if shown else {}
        raise error from exc
    try:
        return _secured(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


async def speaks_tls(host: str, port: int) -> bool:
    """Whether a TLS server listens at that port, trusted or not."""
    return await certificate_of(host, port) is not None


def _secured(connection: ssl.SSLObject) -> Secured:
    certificate: dict[str, Any] = connection.getpeercert() or {}
    issuer = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    until = str(certificate.get("notAfter", ""))
    return Secured(
        version=connection.version() or "",
        issuer=str(issuer.get("organizationName") or issuer.get("commonName") or ""),
        until=datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None,
    )
