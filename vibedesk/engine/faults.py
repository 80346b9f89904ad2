"""What an exception of httpx means, in our words: the one place where foreign network failures are translated."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from vibedesk.engine.errors import (
    ConnectionLost,
    ConnectionRefused,
    Cut,
    EngineError,
    Malformed,
    Misconfigured,
    NameNotFound,
    NotThisApi,
    TimedOut,
    TlsUntrusted,
    Unreachable,
)

_TLS_WORDS = {
    "WRONG_VERSION_NUMBER": "the other side does not speak TLS",
    "HTTP_REQUEST": "the other side does not speak TLS",
    "RECORD_LAYER_FAILURE": "the other side does not speak TLS",
    "UNEXPECTED_EOF_WHILE_READING": "the other side hung up during the handshake",
}
_TLS_FAULTS = {
    "the other side does not speak TLS": "no_tls",
    "the other side hung up during the handshake": "hung_up",
}
_CERTIFICATE_FAULTS = {
    9: "not_yet",
    10: "expired",
    18: "self_signed",
    23: "revoked",
    62: "wrong_name",
    63: "wrong_name",
    64: "wrong_name",
}
"""OpenSSL's X509_V_ERR_… numbers; every other one means that nobody trusted vouches for it."""

_NO_ROAD = frozenset({errno.ENETUNREACH, errno.ENETDOWN})
"""There is no way out of this machine."""


def unanswered(exc: Exception, url: str) -> EngineError:
    """The failure of a request that got no headers back. Never contains a header's value."""
    import httpx

    match exc:
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return Misconfigured("the address is not an http or https URL", setting="base_url")
        case httpx.ProxyError():
            return Misconfigured("the proxy refused to connect", setting="proxy")
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return TimedOut("no connection in time", timer="connect", host=httpx.URL(url).host)
        case httpx.TimeoutException():
            return TimedOut("no answer in time", timer="first_token", host=httpx.URL(url).host)
        case httpx.ConnectError():
            return unconnected(exc, httpx.URL(url).host)
        case httpx.RemoteProtocolError() if "illegal" in str(exc):
            return NotThisApi("what answers does not speak HTTP", host=httpx.URL(url).host)
    return ConnectionLost("closed before the answer began", host=httpx.URL(url).host)


def unconnected(exc: BaseException, host: str) -> EngineError:
    """Why no connection came about: name, TLS, refused, or no way there at all."""
    for cause in _causes(exc):
        match cause:
            case socket.gaierror():
                return NameNotFound(f"no address for {host}", host=host)
            case ssl.SSLCertVerificationError():
                return TlsUntrusted(
                    cause.verify_message,
                    host=host,
                    reason=cause.verify_message,
                    issuer="",
                    fault=_certificate_fault(cause),
                )
            case ssl.SSLError():
                reason = _TLS_WORDS.get(cause.reason or "", cause.reason or "handshake failed")
                fault = _TLS_FAULTS.get(reason, "handshake")
                return TlsUntrusted(reason, host=host, reason=reason, issuer="", fault=fault)
            case TimeoutError():
                return TimedOut("no connection in time", timer="connect", host=host)
            case ConnectionRefusedError():
                return ConnectionRefused(f"nothing listens at {host}", host=host)
            case ConnectionResetError() | BrokenPipeError():
                return ConnectionLost("closed while connecting", host=host)
            case OSError() if cause.errno in _NO_ROAD:
                return Unreachable(f"no way to {host}", host=host, no_network=True)
    return Unreachable(f"no way to {host}", host=host)


def _certificate_fault(cause: ssl.SSLCertVerificationError) -> str:
    """What is wrong with the certificate: by OpenSSL's number, or by the words of the system's own verifier."""
    if known := _CERTIFICATE_FAULTS.get(getattr(cause, "verify_code", 0)):
        return known
    words = str(cause.verify_message).lower()
    signs = {
        "expired": "expired",
        "mismatch": "wrong_name",
        "does not match": "wrong_name",
        "cn_no_match": "wrong_name",
    }
    return next((fault for sign, fault in signs.items() if sign in words), "authority")


def through_proxy(error: EngineError, proxy: str) -> EngineError:
    """The same failure where a proxy stands between: what could not be reached is then the proxy, not the provider."""
    if isinstance(error, ConnectionRefused | NameNotFound) or type(error) is Unreachable:
        return Misconfigured(f"the proxy {proxy} cannot be reached", setting="proxy", host=proxy)
    error.facts["proxy"] = proxy
    return error


def interrupted(exc: Exception) -> EngineError:
    """The failure of an answer whose headers had arrived."""
    import httpx

    match exc:
        case httpx.DecodingError():
            return Malformed("the answer's compression is broken")
        case httpx.TimeoutException():
            return TimedOut("the answer stopped", timer="idle")
    return Cut("the connection broke before the answer's end")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception, what caused it, and what those were caused by; groups opened."""
    waiting: list[BaseException] = [exc]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting.extend(getattr(current, "exceptions", ()))
        waiting.extend(cause for cause in (current.__cause__, current.__context__) if cause is not None)
